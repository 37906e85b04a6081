//! Algorithms, keys, and bytes that are altered or cut.

use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::MAX_TOKEN;
use atls_core::ear::Tier;
use atls_core::ear::cwt;
use serde_json::Value;
use serde_json::json;

use crate::support::issuer::Issuer;
use crate::support::issuer::NONCE;
use crate::support::issuer::check;
use crate::support::issuer::decode;
use crate::support::issuer::decode_with;
use crate::support::issuer::underscored;
use crate::support::issuer::underscored_cbor;
use crate::support::issuer::with;
use crate::support::providers;

#[test]
fn every_supported_algorithm_verifies_with_both_providers() {
    for issuer in [
        Issuer::es256(),
        Issuer::es384(),
        Issuer::ed25519(),
        Issuer::rsa("PS256"),
        Issuer::rsa("PS384"),
        Issuer::rsa("RS256"),
    ] {
        for provider in providers() {
            let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
            let ear = decode_with(
                &provider,
                &issuer.jwt(&underscored()),
                &issuer.keys(),
                &check,
            );
            assert_eq!(
                ear.map(|ear| ear.status()),
                Ok(Tier::Warning),
                "{}",
                issuer.algorithm
            );
            let supported = &provider.signature_verification_algorithms;
            let ear = cwt::decode(
                &issuer.cwt(&underscored_cbor()),
                &issuer.keys(),
                supported,
                &check,
            );
            assert_eq!(
                ear.map(|ear| ear.status()),
                Ok(Tier::Warning),
                "{}",
                issuer.algorithm
            );
        }
    }
}

#[test]
fn the_tokens_algorithm_is_the_keys_or_nothing() {
    let issuer = Issuer::es256();
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let refused = |header: &Value| {
        decode(
            &issuer.jwt_with(header, &underscored()),
            &issuer.keys(),
            &check,
        )
        .unwrap_err()
    };
    for algorithm in ["none", "None", "HS256", "HS512", "ES512", "", "ES256K"] {
        assert_eq!(
            refused(&json!({ "alg": algorithm })),
            EarError::Algorithm,
            "{algorithm}"
        );
    }
    for algorithm in ["ES384", "EdDSA", "RS256", "PS256"] {
        assert_eq!(
            refused(&json!({ "alg": algorithm })),
            EarError::UnknownKey,
            "{algorithm}"
        );
    }
    assert_eq!(
        refused(&json!({ "alg": "ES256", "crit": ["exp"] })),
        EarError::Algorithm
    );
    assert_eq!(
        refused(&json!({ "alg": "ES256", "b64": false })),
        EarError::Algorithm
    );
    for (name, value) in [
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("crit", json!([])),
        ("crit", Value::Null),
        ("zip", Value::Null),
        ("enc", Value::Null),
    ] {
        let header = json!({ "alg": "ES256", name: value });
        assert_eq!(refused(&header), EarError::Algorithm, "{header}");
    }
    assert_eq!(refused(&json!({})), EarError::Algorithm);
}

#[test]
fn every_flipped_byte_and_every_truncation_of_a_jwt_is_refused() {
    let issuer = Issuer::es256();
    let token = issuer.jwt(&underscored());
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    for index in 0..token.len() {
        assert!(
            decode(&token[..index], &issuer.keys(), &check).is_err(),
            "cut at {index}"
        );
        let mut altered = token.clone().into_bytes();
        altered[index] = if altered[index] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(
            decode(&altered, &issuer.keys(), &check).is_err(),
            "flipped at {index}"
        );
    }
    for text in [
        "",
        ".",
        "..",
        "a.b.c.d",
        &format!("{token}."),
        &format!("{token} "),
        &"a".repeat(70_000),
    ] {
        assert!(decode(text, &issuer.keys(), &check).is_err());
    }
}

#[test]
fn the_largest_jwt_is_read_and_a_larger_one_is_not() {
    let issuer = Issuer::es256();
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let token = |length| issuer.jwt(&with(underscored(), "log", "x".repeat(length)));
    let read = |token: &str| decode(token, &issuer.keys(), &check).map(drop);
    // Base64 makes four characters of three bytes.
    let about = 48_000 + (MAX_TOKEN - token(48_000).len()) * 3 / 4;
    let tokens: Vec<_> = (about - 4..about + 4).map(token).collect();
    let largest = tokens.iter().find(|token| token.len() == MAX_TOKEN);
    assert_eq!(read(largest.unwrap()), Ok(()));
    let mut larger = tokens.iter().filter(|token| token.len() > MAX_TOKEN);
    assert_eq!(read(larger.next().unwrap()), Err(EarError::TooLarge));
}

#[test]
fn a_name_that_stands_twice_is_refused_wherever_it_stands() {
    let issuer = Issuer::es256();
    let claims = underscored().to_string();
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let read_ear = |header: &str, claims: &str| {
        let token = issuer.jwt_of(header, claims);
        decode(&token, &issuer.keys(), &check).map(drop)
    };
    let header = r#"{"alg":"ES256"}"#;
    assert_eq!(read_ear(header, &claims), Ok(()));
    for (once, twice) in [
        (r#""iat":"#, r#""iat":1,"iat":"#),
        (r#""submods":"#, r#""submods":{"b":{}},"submods":"#),
        (r#""a":{"#, r#""a":{"ear_status":"none"},"a":{"#),
        (
            r#""ear_status":"#,
            r#""ear_status":"contraindicated","ear_status":"#,
        ),
        (r#""hardware":"#, r#""hardware":99,"hardware":"#),
        (r#""developer":"#, r#""developer":"x","developer":"#),
        (r#""to be":"#, r#""to be":1,"to\u0020be":"#),
        (r#""unknown":{"#, r#""unknown":{"x":[[{"y":1,"y":2}]],"#),
    ] {
        let doubled = claims.replacen(once, twice, 1);
        assert_ne!(doubled, claims, "{once}");
        assert_eq!(
            read_ear(header, &doubled),
            Err(EarError::Malformed),
            "{twice}"
        );
    }
    for header in [
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"a","kid":"b"}"#,
        r#"{"alg":"ES256","x":1,"x":2}"#,
    ] {
        assert_eq!(
            read_ear(header, &claims),
            Err(EarError::Malformed),
            "{header}"
        );
    }
}
