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
    let read_ear = |header: Value| {
        decode(&issuer.jwt_with(&header, &underscored()), &keys, &check).map(|_| ())
    };
    assert_eq!(read_ear(json!({ "alg": "ES256", "kid": "2026" })), Ok(()));
    assert_eq!(read_ear(json!({ "alg": "ES256" })), Ok(()));
    assert_eq!(
        read_ear(json!({ "alg": "ES256", "kid": "2025" })),
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
    let octets = BASE64_URL_SAFE_NO_PAD.encode([1; 32]);
    assert_eq!(
        refused(json!({ "kty": "OKP", "crv": "P-256", "x": octets })),
        KeyError::Unsupported
    );
    assert_eq!(refused(json!(1)), KeyError::Malformed);
    let empty = VerificationKeys::from_jwk_set(r#"{"keys":[]}"#);
    assert_eq!(empty.unwrap_err(), KeyError::Unsupported);
    let mixed = json!({ "keys": [{ "kty": "oct", "k": "AAAA" }, es256] });
    assert!(VerificationKeys::from_jwk_set(&mixed.to_string()).is_ok());
}

#[test]
fn a_key_that_cannot_be_used_does_not_spoil_its_set() {
    let (ours, rsa) = (Issuer::es256(), Issuer::rsa("RS256"));
    let unnamed = with(rsa.jwk.clone(), "alg", Value::Null);
    for other in [
        unnamed.clone(),
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "crv": "X25519", "x": "AA" }),
        json!({ "kty": "oct", "k": "AA" }),
        json!({ "kty": "EC" }),
        json!({}),
        json!("key"),
        with(Issuer::es256().jwk, "alg", "ECDH-ES"),
    ] {
        let set = json!({ "keys": [other, ours.jwk] }).to_string();
        let keys = VerificationKeys::from_jwk_set(&set).unwrap();
        let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
        assert!(decode(&ours.jwt(&underscored()), &keys, &check).is_ok());
        // And no key came in by it.
        let refused = decode(&rsa.jwt(&underscored()), &keys, &check);
        assert_eq!(refused, Err(EarError::UnknownKey));
    }
    let alone = json!({ "keys": [unnamed] }).to_string();
    let refused = VerificationKeys::from_jwk_set(&alone).unwrap_err();
    assert_eq!(refused, KeyError::NoAlgorithm);
    for text in [
        "1",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[]} x"#,
    ] {
        let refused = VerificationKeys::from_jwk_set(text).unwrap_err();
        assert_eq!(refused, KeyError::Malformed, "{text}");
    }
}

#[test]
fn a_key_verifies_only_if_its_operations_say_so() {
    let issuer = Issuer::es256();
    let with_operations = |operations: Value| {
        let jwk = with(issuer.jwk.clone(), "key_ops", operations);
        VerificationKeys::from_jwk(&jwk.to_string()).map(drop)
    };
    assert_eq!(with_operations(json!(["verify"])), Ok(()));
    assert_eq!(with_operations(json!(["sign", "verify"])), Ok(()));
    for operations in [
        json!([]),
        json!(["sign"]),
        json!(["encrypt", "wrapKey"]),
        json!(["VERIFY"]),
    ] {
        let refused = with_operations(operations.clone());
        assert_eq!(refused, Err(KeyError::Unsupported), "{operations}");
    }
}
