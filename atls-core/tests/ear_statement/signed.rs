//! Statements that no reader accepts, and are not signed.

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::EarSigner;
use atls_core::ear::EncodeError;
use atls_core::ear::KeyError;
use atls_core::ear::MAX_TOKEN;
use atls_core::ear::Statement;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use proptest::prelude::*;
use serde_json::json;
use test_support::at;

use crate::signers::Key;
use crate::signers::NOW;
use crate::signers::check;
use crate::signers::ear;
use crate::signers::pkcs8_of;
use crate::signers::stated;
use crate::signers::vector;

#[test]
fn a_claim_of_the_platform_cannot_take_the_place_of_one_of_the_profile() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let bad = Appraisal::new(TrustVector::new().with(Category::Hardware, TrustClaim::new(97)));
    let bad = bad
        .with_extension("ear_status", json!("affirming"))
        .with_extension("ear_trustworthiness_vector", json!({ "hardware": 2 }))
        .with_extension("ear_appraisal_policy_ids", json!(["mine"]))
        .with_extension("eat_nonce", json!("AAAAAAAAAAA"));
    let ear = Ear::local(VerifierId::new("us", "1"), at(NOW), "platform", bad);
    let token = jwt::encode(&stated(&ear), &key.signer).unwrap();
    let read = jwt::decode(&token, &key.keys, &key.supported, &check()).unwrap();
    let part = read.submod("platform").unwrap();
    assert_eq!(part.status(), Tier::Contraindicated);
    assert_eq!(part.vector().get(Category::Hardware), TrustClaim::new(97));
    assert_eq!((part.policy_ids().len(), part.nonce()), (0, None));
}

#[test]
fn a_nonce_that_no_reader_accepts_is_not_signed() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    for length in [0, 7, 65] {
        let nonce = vec![1; length];
        let statement = Statement {
            nonce: &nonce,
            ..stated(&ear)
        };
        assert_eq!(
            jwt::encode(&statement, &key.signer),
            Err(EncodeError::Nonce)
        );
        assert_eq!(
            cwt::encode(&statement, &key.signer),
            Err(EncodeError::Nonce)
        );
    }
}

#[test]
fn a_result_that_no_reader_accepts_for_its_size_is_not_signed() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let part = Appraisal::new(vector()).with_extension("log", json!("x".repeat(64 * 1024)));
    let ear = Ear::local(VerifierId::new("us", "1"), at(NOW), "platform", part);
    let statement = stated(&ear);
    assert_eq!(
        jwt::encode(&statement, &key.signer),
        Err(EncodeError::TooLarge)
    );
    assert_eq!(
        cwt::encode(&statement, &key.signer),
        Err(EncodeError::TooLarge)
    );
}

#[test]
fn the_largest_result_is_signed_and_a_larger_one_is_not() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let of_log = |length| {
        let part = Appraisal::new(vector()).with_extension("log", json!("x".repeat(length)));
        Ear::local(VerifierId::new("us", "1"), at(NOW), "platform", part)
    };
    let cwt = |length| cwt::encode(&stated(&of_log(length)), &key.signer);
    let largest = MAX_TOKEN - cwt(60_000).unwrap().len() + 60_000;
    assert_eq!(cwt(largest).unwrap().len(), MAX_TOKEN);
    assert_eq!(cwt(largest + 1), Err(EncodeError::TooLarge));
    let jwt = |length| jwt::encode(&stated(&of_log(length)), &key.signer);
    // Base64 makes four characters of three bytes.
    let about = 48_000 + (MAX_TOKEN - jwt(48_000).unwrap().len()) * 3 / 4;
    let tokens: Vec<_> = (about - 4..about + 4).map(jwt).collect();
    let lengths = tokens.iter().flatten().map(String::len);
    assert_eq!(lengths.max(), Some(MAX_TOKEN));
    assert_eq!(tokens.last(), Some(&Err(EncodeError::TooLarge)));
}

#[test]
fn a_key_of_another_kind_signs_no_results() {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let pair = EcdsaKeyPair::generate(&signature::ECDSA_P521_SHA512_FIXED_SIGNING).unwrap();
    let pkcs8 = pair.to_pkcs8v1().unwrap();
    let key = provider
        .key_provider
        .load_private_key(pkcs8_of(pkcs8.as_ref()))
        .unwrap();
    assert_eq!(EarSigner::new(&*key).err(), Some(KeyError::Unsupported));
}

proptest! {
    #[test]
    fn what_is_stated_is_what_is_read(
        claims in proptest::collection::vec(any::<i8>(), 8),
        name in "\\PC{0,20}",
        text in "\\PC{0,20}",
        nonce in proptest::collection::vec(any::<u8>(), 8..=64),
    ) {
        let key = Key::of(&rustls::crypto::ring::default_provider(), "EdDSA");
        let all = Category::ALL.into_iter().zip(claims);
        let vector = all.fold(TrustVector::new(), |vector, (category, value)| {
            vector.with(category, TrustClaim::new(value))
        });
        let part = Appraisal::new(vector.clone()).with_policy_id(text.clone());
        let ear = Ear::local(VerifierId::new("us", text), at(NOW), &name, part);
        let statement = Statement { nonce: &nonce, ..stated(&ear) };
        let json = jwt::encode(&statement, &key.signer).unwrap();
        let json = jwt::decode(&json, &key.keys, &key.supported, &check()).unwrap();
        let cbor = cwt::encode(&statement, &key.signer).unwrap();
        let cbor = cwt::decode(&cbor, &key.keys, &key.supported, &check()).unwrap();
        prop_assert_eq!(&json, &cbor);
        prop_assert_eq!(json.submod(&name).unwrap().vector(), &vector);
        prop_assert_eq!(json.nonce().unwrap(), &nonce[..]);
    }
}
