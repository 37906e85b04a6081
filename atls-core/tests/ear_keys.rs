//! Whose signature is believed: pinned keys, and what a token says about its key.
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
use atls_core::ear::KeyError;
use atls_core::ear::VerificationKeys;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use support::issuer::Issuer;
use support::issuer::NONCE;
use support::issuer::check;
use support::issuer::decode;
use support::issuer::underscored;
use support::issuer::with;

#[test]
fn a_key_in_the_header_is_not_believed() {
    let (ours, attacker) = (Issuer::es256(), Issuer::es256());
    let header =
        json!({ "alg": "ES256", "jwk": attacker.jwk, "jku": "https://attacker.example/jwks" });
    let token = attacker.jwt_with(&header, &underscored());
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    assert_eq!(
        decode(&token, &ours.keys(), &check),
        Err(EarError::BadSignature)
    );
}

#[test]
fn a_key_identifier_narrows_the_choice() {
    let issuer = Issuer::es256();
    let mut jwk = issuer.jwk.clone();
    jwk["kid"] = json!("2026");
    let keys = VerificationKeys::from_jwk_set(&json!({ "keys": [jwk] }).to_string()).unwrap();
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let judge = |header: Value| {
        decode(&issuer.jwt_with(&header, &underscored()), &keys, &check).map(|_| ())
    };
    assert_eq!(judge(json!({ "alg": "ES256", "kid": "2026" })), Ok(()));
    assert_eq!(judge(json!({ "alg": "ES256" })), Ok(()));
    assert_eq!(
        judge(json!({ "alg": "ES256", "kid": "2025" })),
        Err(EarError::UnknownKey)
    );
}

#[test]
fn keys_that_could_be_misused_are_refused() {
    let es256 = Issuer::es256().jwk;
    let rsa = Issuer::rsa("PS256").jwk;
    let refused = |jwk: Value| VerificationKeys::from_jwk(&jwk.to_string()).unwrap_err();
    assert_eq!(
        refused(json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" })),
        KeyError::Unsupported
    );
    assert_eq!(
        refused(with(es256.clone(), "alg", "ES384")),
        KeyError::Unsupported
    );
    assert_eq!(
        refused(with(es256.clone(), "use", "enc")),
        KeyError::Unsupported
    );
    assert_eq!(
        refused(with(es256.clone(), "x", "AAAA")),
        KeyError::Malformed
    );
    assert_eq!(
        refused(with(rsa.clone(), "alg", Value::Null)),
        KeyError::NoAlgorithm
    );
    assert_eq!(
        refused(with(rsa.clone(), "alg", "HS256")),
        KeyError::Unsupported
    );
    assert_eq!(
        refused(with(rsa, "n", BASE64_URL_SAFE_NO_PAD.encode([0xff; 255]))),
        KeyError::Unsupported
    );
    assert_eq!(refused(json!(1)), KeyError::Malformed);
    let empty = VerificationKeys::from_jwk_set(r#"{"keys":[]}"#);
    assert_eq!(empty.unwrap_err(), KeyError::Unsupported);
    let mixed = json!({ "keys": [{ "kty": "oct", "k": "AAAA" }, es256] });
    assert!(VerificationKeys::from_jwk_set(&mixed.to_string()).is_ok());
}
