//! The conditions under which the claims of a token are accepted.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use atls_core::AppraisalError;
use atls_remote::ResultCheck;
use atls_remote::Token;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::at;
use test_support::supported;

const NOW: u64 = 1_000_000;

#[test]
fn a_token_of_the_issuer_in_time_is_read() {
    for signer in [Signer::es256(), Signer::rs256(), Signer::ps384()] {
        let token = verify(&signer, &signer.token(&claims())).unwrap();
        assert_eq!(token.issued_at(), at(NOW));
        assert_eq!(token.expires_at(), at(NOW + 300));
        assert_eq!(token.text("text"), Some("a"));
        assert_eq!(token.hex("bytes"), Some(vec![1, 2]));
        assert_eq!(token.hex("text"), None);
        assert_eq!(token.text("iat"), None);
    }
}

#[test]
fn times_are_checked_to_the_second() {
    let signer = Signer::es256();
    for (name, value, expected) in [
        ("exp", Some(NOW + 1), Ok(())),
        ("exp", Some(NOW), Err(AppraisalError::ResultExpired)),
        ("exp", None, Err(AppraisalError::BadResult)),
        ("iat", Some(NOW + 60), Ok(())),
        ("iat", Some(NOW + 61), Err(AppraisalError::ResultExpired)),
        ("iat", Some(NOW - 599), Ok(())),
        ("iat", Some(NOW - 600), Err(AppraisalError::ResultExpired)),
        ("iat", None, Err(AppraisalError::BadResult)),
        ("nbf", Some(NOW + 60), Ok(())),
        ("nbf", Some(NOW + 61), Err(AppraisalError::ResultExpired)),
    ] {
        let mut claims = claims();
        match value {
            Some(value) => claims[name] = value.into(),
            None => drop(claims.as_object_mut().unwrap().remove(name)),
        }
        let verified = verify(&signer, &signer.token(&claims));
        assert_eq!(verified.map(drop), expected, "{name} {value:?}");
    }
}

#[test]
fn times_of_another_kind_are_refused() {
    let signer = Signer::es256();
    for name in ["exp", "iat", "nbf"] {
        for value in [json!("1000300"), json!(1_000_300.5), json!(-1), json!(null)] {
            let mut claims = claims();
            claims[name] = value;
            let refused = verify(&signer, &signer.token(&claims));
            assert_eq!(refused, Err(AppraisalError::BadResult), "{claims}");
        }
    }
}

#[test]
fn the_issuer_is_compared_whole() {
    let signer = Signer::es256();
    for issuer in [
        json!("issuer "),
        json!("issue"),
        json!("Issuer"),
        json!(["issuer"]),
        json!(null),
    ] {
        let mut claims = claims();
        claims["iss"] = issuer;
        let refused = verify(&signer, &signer.token(&claims));
        assert_eq!(refused, Err(AppraisalError::BadResult), "{claims}");
    }
}

#[test]
fn a_signature_under_other_keys_is_refused() {
    let (signer, attacker) = (Signer::rs256(), Signer::rs256());
    let lure = json!({
        "alg": "RS256", "kid": "k", "jku": "https://attacker.example/certs", "jwk": attacker.jwk(),
        "x5u": "https://attacker.example/cert", "x5c": [attacker.certificate()],
    });
    for (name, token) in [
        ("another key", attacker.token(&claims())),
        (
            "another key that the header offers",
            attacker.token_with(&lure, &claims()),
        ),
        ("none", Signer::unsigned(&claims())),
        ("HS256 with the public key", signer.confused(&claims())),
        (
            "another algorithm of the same key",
            signer.token_with(&json!({ "alg": "PS256" }), &claims()),
        ),
        (
            "critical",
            signer.token_with(
                &json!({ "alg": "RS256", "crit": ["exp"], "exp": 1 }),
                &claims(),
            ),
        ),
        ("no dots", "token".to_owned()),
        ("empty", String::new()),
        ("huge", "a".repeat(100_000)),
    ] {
        let refused = verify(&signer, &token);
        assert_eq!(refused, Err(AppraisalError::BadResult), "{name}");
    }
    // A genuine token may name whatever it likes: nothing of it is read.
    assert!(verify(&signer, &signer.token_with(&lure, &claims())).is_ok());
}

#[test]
fn every_flipped_bit_of_the_signed_part_is_refused() {
    let signer = Signer::es256();
    let token = signer.token(&claims());
    let (message, _) = token.rsplit_once('.').unwrap();
    for position in 0..message.len() {
        let mut bytes = token.clone().into_bytes();
        if let Some(byte) = bytes.get_mut(position) {
            *byte ^= 1;
        }
        let altered = String::from_utf8(bytes).unwrap();
        assert!(verify(&signer, &altered).is_err(), "{position}");
    }
}

fn claims() -> Value {
    json!({ "iss": "issuer", "iat": NOW, "exp": NOW + 300, "text": "a", "bytes": "0102" })
}

fn verify(signer: &Signer, token: &str) -> Result<Token, AppraisalError> {
    let check = ResultCheck {
        keys: &signer.keys(),
        supported: &supported(),
        issuer: Some("issuer"),
        max_age: Duration::from_secs(600),
        now: at(NOW),
    };
    Ok(Token::decode(token, &check)?)
}
