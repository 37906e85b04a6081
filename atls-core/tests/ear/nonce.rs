//! Nonces: their length, and the profiles that have one.

use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

use crate::support::issuer::Issuer;
use crate::support::issuer::NONCE;
use crate::support::issuer::check;
use crate::support::issuer::decode;
use crate::support::issuer::dotted;
use crate::support::issuer::underscored;
use crate::support::issuer::with;

#[test]
fn a_nonce_too_short_or_too_long_to_be_one_is_neither_expected_nor_read() {
    let issuer = Issuer::es256();
    let read_ear = |nonce: &[u8]| {
        let check = check(1_000_000, ExpectedNonce::Echoed(nonce));
        let text = BASE64_URL_SAFE_NO_PAD.encode(nonce);
        let token = issuer.jwt(&with(underscored(), "eat_nonce", text));
        decode(&token, &issuer.keys(), &check).map(drop)
    };
    for length in [0, 1, 7, 65, 88] {
        assert_eq!(read_ear(&vec![7; length]), Err(EarError::Nonce), "{length}");
    }
    for length in [8, 32, 48, 64] {
        assert_eq!(read_ear(&vec![7; length]), Ok(()), "{length}");
    }
    // The nonce of the Evidence too.
    for length in [0, 7, 65] {
        let nonce = BASE64_URL_SAFE_NO_PAD.encode(vec![7; length]);
        let part = json!({ "a": { "ear_status": "affirming", "eat_nonce": nonce } });
        let claims = with(underscored(), "submods", part);
        assert_eq!(issuer.read_ear(&claims), Err(EarError::Nonce), "{length}");
    }
}

#[test]
fn a_profile_that_has_a_nonce_must_show_it() {
    let issuer = Issuer::es256();
    for mut claims in [underscored(), dotted()] {
        let elsewhere = check(1_000_000, ExpectedNonce::InAnotherClaim);
        let read_ear = |claims: &Value| decode(&issuer.jwt(claims), &issuer.keys(), &elsewhere);
        assert_eq!(read_ear(&claims), Err(EarError::Nonce));
        claims.as_object_mut().unwrap().remove("eat_nonce");
        assert_eq!(read_ear(&claims), Err(EarError::Nonce));
        let trustee = "tag:github.com,2024:confidential-containers/Trustee";
        claims = with(dotted(), "eat_profile", trustee);
        assert_eq!(
            read_ear(&claims),
            Err(EarError::Nonce),
            "it has none to show"
        );
        claims.as_object_mut().unwrap().remove("eat_nonce");
        assert!(read_ear(&claims).is_ok());
    }
}

#[test]
fn a_profile_that_has_no_nonce_must_not_show_one() {
    let issuer = Issuer::es256();
    let trustee = "tag:github.com,2024:confidential-containers/Trustee";
    let stray = with(dotted(), "eat_profile", trustee);
    for expected in [
        ExpectedNonce::Echoed(NONCE),
        ExpectedNonce::DangerousOfAnySession,
        ExpectedNonce::InAnotherClaim,
    ] {
        let check = check(1_000_000, expected.clone());
        let refused = decode(&issuer.jwt(&stray), &issuer.keys(), &check);
        assert_eq!(refused, Err(EarError::Nonce), "{expected:?}");
    }
}

#[test]
fn a_result_without_nonce_answers_no_request() {
    let issuer = Issuer::es256();
    for mut claims in [underscored(), dotted()] {
        claims.as_object_mut().unwrap().remove("eat_nonce");
        for (expected, accepted) in [
            (ExpectedNonce::Echoed(NONCE), false),
            (ExpectedNonce::InAnotherClaim, false),
            (ExpectedNonce::DangerousOfAnySession, true),
        ] {
            let check = check(1_000_000, expected);
            let decoded = decode(&issuer.jwt(&claims), &issuer.keys(), &check);
            assert_eq!(decoded.is_ok(), accepted, "{check:?}");
        }
    }
}
