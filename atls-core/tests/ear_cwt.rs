//! Results as CWT: what differs from JSON is labels, types and the COSE envelope.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::cwt;
use ciborium::Value as Cbor;
use support::issuer::Issuer;
use support::issuer::NONCE;
use support::issuer::cbor_map;
use support::issuer::check;
use support::issuer::replaced;
use support::issuer::underscored_cbor;
use support::providers;

#[test]
fn every_flipped_octet_and_every_truncation_of_a_cwt_is_refused() {
    let issuer = Issuer::es256();
    let token = issuer.cwt(&underscored_cbor());
    let provider = &providers()[0];
    let supported = &provider.signature_verification_algorithms;
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let judge = |token: &[u8]| cwt::decode(token, &issuer.keys(), supported, &check).map(|_| ());
    assert_eq!(judge(&token), Ok(()));
    assert_eq!(
        judge(&[&[0xd8, 0x3d], &token[..]].concat()),
        Ok(()),
        "with the CWT tag"
    );
    assert_eq!(judge(&token[1..]), Ok(()), "without tag");
    for index in 0..token.len() {
        assert!(judge(&token[..index]).is_err(), "cut at {index}");
        let mut altered = token.clone();
        altered[index] ^= 1;
        assert!(judge(&altered).is_err(), "flipped at {index}");
    }
    assert_eq!(
        judge(&[&token[..], &[0]].concat()),
        Err(EarError::Malformed)
    );
    assert_eq!(judge(&[0x81; 60_000]), Err(EarError::Malformed));
    assert_eq!(judge(&[0; 70_000]), Err(EarError::TooLarge));
}

#[test]
fn a_cwt_has_numbers_for_tiers_and_each_claim_once() {
    let issuer = Issuer::es256();
    let provider = &providers()[0];
    let supported = &provider.signature_verification_algorithms;
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let judge = |claims: Cbor| {
        cwt::decode(&issuer.cwt(&claims), &issuer.keys(), supported, &check).map(|ear| ear.status())
    };
    let part = |status: Cbor| cbor_map(vec![(1000.into(), status)]);
    let with_part =
        |part: Cbor| replaced(underscored_cbor(), 266, cbor_map(vec![("a".into(), part)]));
    assert_eq!(judge(with_part(part(2.into()))), Ok(Tier::Affirming));
    assert_eq!(judge(with_part(part(0.into()))), Ok(Tier::None));
    assert_eq!(judge(with_part(part(96.into()))), Ok(Tier::Contraindicated));
    assert_eq!(judge(with_part(part(3.into()))), Err(EarError::Malformed));
    assert_eq!(
        judge(with_part(part("affirming".into()))),
        Err(EarError::Malformed)
    );
    let twice = cbor_map(vec![(1000.into(), 2.into()), (1000.into(), 2.into())]);
    assert_eq!(judge(with_part(twice)), Err(EarError::Malformed));
    let shadowed = cbor_map(vec![
        (1000.into(), 96.into()),
        ("ear_status".into(), 2.into()),
    ]);
    assert_eq!(judge(with_part(shadowed)), Err(EarError::Malformed));
    let dotted = replaced(
        underscored_cbor(),
        265,
        "tag:github.com,2023:veraison/ear".into(),
    );
    assert_eq!(judge(dotted), Err(EarError::Malformed));
}
