//! The COSE envelope.

use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::MAX_TOKEN;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use atls_core::limits::MAX_TOKEN_VALUES;
use ciborium::Value as Cbor;
use coset::HeaderBuilder;
use coset::iana::Algorithm;
use coset::iana::HeaderParameter;

use crate::support::issuer::Issuer;
use crate::support::issuer::NONCE;
use crate::support::issuer::check;
use crate::support::issuer::replaced;
use crate::support::issuer::underscored_cbor;
use crate::support::providers;
use crate::tokens::decode_token;
use crate::tokens::read_ear;

#[test]
fn every_flipped_byte_and_every_truncation_of_a_cwt_is_refused() {
    let issuer = Issuer::es256();
    let token = issuer.cwt(&underscored_cbor());
    let provider = &providers()[0];
    let supported = &provider.signature_verification_algorithms;
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let read_ear = |token: &[u8]| cwt::decode(token, &issuer.keys(), supported, &check).map(|_| ());
    assert_eq!(read_ear(&token), Ok(()));
    assert_eq!(
        read_ear(&[&[0xd8, 0x3d], &token[..]].concat()),
        Ok(()),
        "with the CWT tag"
    );
    assert_eq!(read_ear(&token[1..]), Ok(()), "without tag");
    for index in 0..token.len() {
        assert!(read_ear(&token[..index]).is_err(), "cut at {index}");
        let mut altered = token.clone();
        altered[index] ^= 1;
        assert!(read_ear(&altered).is_err(), "flipped at {index}");
    }
    assert_eq!(
        read_ear(&[&token[..], &[0]].concat()),
        Err(EarError::Malformed)
    );
    assert_eq!(read_ear(&[0x81; 60_000]), Err(EarError::TooLarge));
    assert_eq!(read_ear(&[0; 70_000]), Err(EarError::TooLarge));
}

#[test]
fn the_envelope_says_each_thing_once_and_under_the_signature() {
    let issuer = Issuer::es256();
    let es256 = || HeaderBuilder::new().algorithm(issuer.cose);
    let none = HeaderBuilder::new;
    let read_ear = |protected: HeaderBuilder, unprotected: HeaderBuilder| {
        let token = issuer.cwt_with(protected.build(), unprotected.build(), &underscored_cbor());
        decode_token(&token, &issuer.keys()).map(drop)
    };
    assert_eq!(read_ear(es256(), none()), Ok(()));
    assert_eq!(read_ear(none(), es256()), Err(EarError::Algorithm));
    assert_eq!(read_ear(es256(), es256()), Err(EarError::Algorithm));
    let other = || HeaderBuilder::new().algorithm(Algorithm::ES384);
    assert_eq!(read_ear(es256(), other()), Err(EarError::Algorithm));
    let critical = |header: HeaderBuilder| header.add_critical(HeaderParameter::ContentType);
    assert_eq!(
        read_ear(critical(es256()), none()),
        Err(EarError::Algorithm)
    );
    assert_eq!(
        read_ear(es256(), critical(none())),
        Err(EarError::Algorithm)
    );
    let named = |header: HeaderBuilder| header.key_id(b"2026".to_vec());
    assert_eq!(
        read_ear(named(es256()), none()),
        Ok(()),
        "keys without names"
    );
    assert_eq!(
        read_ear(named(es256()), named(none())),
        Err(EarError::Malformed)
    );
}

#[test]
fn a_key_identifier_of_a_cwt_narrows_the_choice() {
    let issuer = Issuer::es256();
    let mut jwk = issuer.jwk.clone();
    jwk["kid"] = "2026".into();
    let keys = VerificationKeys::from_jwk(&jwk.to_string()).unwrap();
    let es256 = || HeaderBuilder::new().algorithm(issuer.cose);
    let read_ear = |id: &[u8]| {
        let named = |header: HeaderBuilder| header.key_id(id.to_vec()).build();
        let (protected, unprotected) = (named(es256()), named(HeaderBuilder::new()));
        let none = HeaderBuilder::new().build();
        let claims = underscored_cbor();
        let inside = issuer.cwt_with(protected, none, &claims);
        let outside = issuer.cwt_with(es256().build(), unprotected, &claims);
        let read = [inside, outside].map(|token| decode_token(&token, &keys).map(drop));
        assert_eq!(read[0], read[1]);
        read[0].clone()
    };
    assert_eq!(read_ear(b"2026"), Ok(()));
    assert_eq!(read_ear(b"2025"), Err(EarError::UnknownKey));
    assert_eq!(read_ear(b"2026\xff"), Err(EarError::UnknownKey));
    // Not even a key without name is tried for a name that no key can have.
    let keys = issuer.keys();
    let named = es256().key_id(vec![0xff]).build();
    let token = issuer.cwt_with(named, HeaderBuilder::new().build(), &underscored_cbor());
    assert_eq!(decode_token(&token, &keys), Err(EarError::UnknownKey));
}

#[test]
fn claims_nest_at_most_16_deep() {
    let nested = |depth| {
        let inner = (0..depth).fold(Cbor::Null, |inner, _| Cbor::Array(vec![inner]));
        read_ear(&replaced(underscored_cbor(), -70_000, inner))
    };
    assert_eq!(nested(15), Ok(Tier::Warning));
    assert_eq!(nested(16), Err(EarError::Malformed));
}

#[test]
fn a_cwt_is_bounded_in_bytes_and_in_values() {
    let padded = |length| replaced(underscored_cbor(), -70_000, "x".repeat(length).into());
    let issuer = Issuer::es256();
    let room = MAX_TOKEN - issuer.cwt(&padded(60_000)).len() + 60_000;
    assert_eq!(issuer.cwt(&padded(room)).len(), MAX_TOKEN);
    assert_eq!(read_ear(&padded(room)), Ok(Tier::Warning));
    assert_eq!(read_ear(&padded(room + 1)), Err(EarError::TooLarge));
    let many = Cbor::Array(vec![Cbor::Null; MAX_TOKEN_VALUES]);
    let many = replaced(underscored_cbor(), -70_000, many);
    assert_eq!(read_ear(&many), Err(EarError::TooLarge));
}
