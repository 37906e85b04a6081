//! Statements that are read as they were stated, and refused elsewhere.

use std::time::Duration;

use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::Statement;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::ear::VerifierId;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use test_support::at;

use crate::signers::Key;
use crate::signers::NONCE;
use crate::signers::NOW;
use crate::signers::check;
use crate::signers::ear;
use crate::signers::stated;
use crate::signers::vector;

#[test]
fn a_statement_is_read_as_it_was_stated_in_both_forms_by_every_kind_of_key() {
    for provider in [
        rustls::crypto::ring::default_provider(),
        rustls::crypto::aws_lc_rs::default_provider(),
    ] {
        for algorithm in KINDS {
            let key = Key::of(&provider, algorithm);
            let ear = ear();
            let statement = stated(&ear);
            let check = check().with_issuer("proxy");
            let token = jwt::encode(&statement, &key.signer).unwrap();
            let read = jwt::decode(&token, &key.keys, &key.supported, &check).unwrap();
            assert_is_restated(&read);
            let token = cwt::encode(&statement, &key.signer).unwrap();
            let read = cwt::decode(&token, &key.keys, &key.supported, &check).unwrap();
            assert_is_restated(&read);
        }
    }
}

fn assert_is_restated(read: &Ear) {
    let part = read.submod("platform").unwrap();
    assert_eq!(read.profile(), "tag:ietf.org,2026:rats/ear#04");
    assert_eq!(read.status(), Tier::Warning);
    assert_eq!(part.vector(), &vector());
    assert_eq!(part.policy_ids(), ["p1", "p2"]);
    assert_eq!(
        part.extension("image"),
        Some(&json!({ "name": ["a", -1, u64::MAX, null, true, 0.5] }))
    );
    assert_eq!(read.issued_at(), at(NOW));
    assert_eq!(read.expires_at(), Some(at(NOW + 60)));
    assert_eq!(read.nonce(), Some(NONCE));
    assert_eq!(read.issuer(), Some("proxy"));
    assert_eq!(read.verifier(), &VerifierId::new("us", "1"));
}

#[test]
fn a_statement_is_refused_by_another_audience_and_after_its_end() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    let statement = stated(&ear);
    let own = check();
    let cases = [
        (own.clone(), None),
        // Who has no name is not the audience.
        (
            Check {
                audience: None,
                ..own.clone()
            },
            Some(EarError::Audience),
        ),
        (own.clone().with_audience("other"), Some(EarError::Audience)),
        (own.clone().with_audience("back"), Some(EarError::Audience)),
        (own.clone().with_issuer("other"), Some(EarError::Issuer)),
        (
            Check {
                now: at(NOW + 60),
                ..own.clone()
            },
            Some(EarError::Expired),
        ),
        (
            Check {
                now: at(NOW + 30),
                max_age: Duration::from_secs(30),
                ..own
            },
            Some(EarError::Expired),
        ),
    ];
    for (check, expected) in cases {
        let token = jwt::encode(&statement, &key.signer).unwrap();
        let read = jwt::decode(&token, &key.keys, &key.supported, &check);
        assert_eq!(read.err(), expected, "{check:?}");
        let token = cwt::encode(&statement, &key.signer).unwrap();
        let read = cwt::decode(&token, &key.keys, &key.supported, &check);
        assert_eq!(read.err(), expected, "{check:?}");
    }
}

#[test]
fn an_audience_among_several_is_met_and_none_is_not() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    let check = check();
    for (audience, expected) in [
        (json!(["other", "backend"]), None),
        (json!(["other"]), Some(EarError::Audience)),
        (json!([]), Some(EarError::Audience)),
        (json!({ "backend": "backend" }), Some(EarError::Audience)),
        (Value::Null, Some(EarError::Audience)),
    ] {
        let token = resigned(&stated(&ear), &key, |claims| {
            claims["aud"] = audience.clone()
        });
        let read = jwt::decode(&token, &key.keys, &key.supported, &check);
        assert_eq!(read.err(), expected, "{audience}");
    }
}

#[test]
fn every_flipped_byte_of_a_statement_is_refused() {
    let key = Key::of(&rustls::crypto::ring::default_provider(), "ES256");
    let ear = ear();
    let check = check();
    let token = cwt::encode(&stated(&ear), &key.signer).unwrap();
    for index in 0..token.len() {
        let mut altered = token.clone();
        altered[index] ^= 1;
        assert!(
            cwt::decode(&altered, &key.keys, &key.supported, &check).is_err(),
            "{index}"
        );
        assert!(cwt::decode(&token[..index], &key.keys, &key.supported, &check).is_err());
    }
}

#[test]
fn a_key_identifier_chooses_the_key() {
    let provider = rustls::crypto::ring::default_provider();
    let mut key = Key::of(&provider, "ES256");
    key.signer = key.signer.with_key_id("another");
    let ear = ear();
    let token = jwt::encode(&stated(&ear), &key.signer).unwrap();
    let read = jwt::decode(&token, &key.keys, &key.supported, &check());
    assert_eq!(read, Err(EarError::UnknownKey));
    let token = cwt::encode(&stated(&ear), &key.signer).unwrap();
    let read = cwt::decode(&token, &key.keys, &key.supported, &check());
    assert_eq!(read, Err(EarError::UnknownKey));
}

#[test]
fn readers_pin_the_key_that_the_signer_names() {
    for provider in [
        rustls::crypto::ring::default_provider(),
        rustls::crypto::aws_lc_rs::default_provider(),
    ] {
        for algorithm in ["ES256", "ES384", "EdDSA"] {
            let key = Key::of(&provider, algorithm);
            let jwk = key.signer.public_jwk().unwrap().to_string();
            let keys = VerificationKeys::from_jwk(&jwk).unwrap();
            let ear = ear();
            let token = jwt::encode(&stated(&ear), &key.signer).unwrap();
            assert!(jwt::decode(&token, &keys, &key.supported, &check()).is_ok());
        }
    }
}

/// A token of the same header with other claims, signed by the same key.
fn resigned(statement: &Statement<'_>, key: &Key, change: impl Fn(&mut Value)) -> String {
    let token = jwt::encode(statement, &key.signer).unwrap();
    let (header, rest) = token.split_once('.').unwrap();
    let (claims, _) = rest.split_once('.').unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    change(&mut claims);
    let message = format!(
        "{header}.{}",
        BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &key.pkcs8);
    let signature = pair
        .unwrap()
        .sign(&SystemRandom::new(), message.as_bytes())
        .unwrap();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

const KINDS: [&str; 4] = ["ES256", "ES384", "EdDSA", "PS256"];
