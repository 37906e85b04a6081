//! Both dialects, and the claims of a result.

use atls_core::ear::Check;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use test_support::at;

use crate::support::issuer::Issuer;
use crate::support::issuer::NONCE;
use crate::support::issuer::check;
use crate::support::issuer::decode;
use crate::support::issuer::dotted;
use crate::support::issuer::underscored;
use crate::support::issuer::with;

#[test]
fn both_dialects_are_read_and_never_mixed() {
    let issuer = Issuer::es256();
    for profile in [
        "tag:ietf.org,2026:rats/ear#03",
        "tag:ietf.org,2026:rats/ear#04",
    ] {
        let ear = issuer
            .read_ear(&with(underscored(), "eat_profile", profile))
            .unwrap();
        assert_eq!((ear.status(), ear.profile()), (Tier::Warning, profile));
    }
    assert_eq!(issuer.read_ear(&dotted()).unwrap().status(), Tier::Warning);
    let mixed = with(dotted(), "eat_profile", "tag:ietf.org,2026:rats/ear#04");
    assert_eq!(issuer.read_ear(&mixed), Err(EarError::Malformed));
    let mixed = with(
        underscored(),
        "eat_profile",
        "tag:github.com,2023:veraison/ear",
    );
    assert_eq!(issuer.read_ear(&mixed), Err(EarError::Malformed));
    for profile in [
        "tag:ietf.org,2025-07:ear",
        "",
        "tag:github.com,2023:veraison/ear ",
    ] {
        assert_eq!(
            issuer.read_ear(&with(underscored(), "eat_profile", profile)),
            Err(EarError::Profile)
        );
    }
}

#[test]
fn the_key_of_a_holder_is_kept() {
    let issuer = Issuer::es256();
    assert_eq!(issuer.read_ear(&dotted()).unwrap().confirmation(), None);
    for key in [
        json!({ "jwk": { "kty": "EC" } }),
        json!("none"),
        Value::Null,
    ] {
        let mut claims = underscored();
        claims["cnf"] = key.clone();
        let ear = issuer.read_ear(&claims).unwrap();
        assert_eq!(ear.confirmation(), Some(&key));
    }
}

#[test]
fn what_is_missing_or_of_the_wrong_kind_is_refused() {
    let issuer = Issuer::es256();
    for name in [
        "eat_profile",
        "iat",
        "ear_verifier_id",
        "submods",
        "eat_nonce",
    ] {
        let mut claims = underscored();
        claims.as_object_mut().unwrap().remove(name).unwrap();
        let expected = if name == "eat_nonce" {
            EarError::Nonce
        } else {
            EarError::Malformed
        };
        assert_eq!(issuer.read_ear(&claims), Err(expected), "{name}");
    }
    for (name, value) in [
        ("iat", json!("1")),
        ("iat", json!(1.5)),
        ("iat", json!(-1)),
        ("exp", json!("never")),
        ("exp", Value::Null),
        ("nbf", json!([])),
        ("submods", json!({})),
        ("submods", json!([])),
        ("submods", json!({ "x": 1 })),
        ("submods", json!({ "x": {} })),
        ("submods", json!({ "x": { "ear_status": "good" } })),
        ("submods", json!({ "x": { "ear_status": 2 } })),
        (
            "submods",
            json!({ "x": { "ear_status": "affirming", "ear_trustworthiness_vector": 2 } }),
        ),
        (
            "submods",
            json!({ "x": { "ear_status": "affirming", "ear_trustworthiness_vector": { "hardware": 128 } } }),
        ),
        (
            "submods",
            json!({ "x": { "ear_status": "affirming", "ear_trustworthiness_vector": { "hardware": "2" } } }),
        ),
        (
            "submods",
            json!({ "x": { "ear_status": "affirming", "ear_appraisal_policy_ids": [1] } }),
        ),
        ("ear_status", json!("fine")),
        ("ear_verifier_id", json!("me")),
        ("ear_verifier_id", json!({ "developer": "me" })),
    ] {
        assert_eq!(
            issuer.read_ear(&with(underscored(), name, value.clone())),
            Err(EarError::Malformed),
            "{name} {value}"
        );
    }
}

#[test]
fn a_status_is_as_bad_as_the_worst_that_is_said() {
    let issuer = Issuer::es256();
    let read_ear = |submods: Value| {
        issuer
            .read_ear(&with(underscored(), "submods", submods))
            .unwrap()
            .status()
    };
    let affirming = || json!({ "ear_status": "affirming" });
    assert_eq!(read_ear(json!({ "a": affirming() })), Tier::Affirming);
    for (status, tier) in [
        ("warning", Tier::Warning),
        ("none", Tier::None),
        ("contraindicated", Tier::Contraindicated),
    ] {
        assert_eq!(
            read_ear(json!({ "a": affirming(), "b": { "ear_status": status } })),
            tier
        );
        let stated = with(
            with(underscored(), "submods", json!({ "a": affirming() })),
            "ear_status",
            status,
        );
        assert_eq!(issuer.read_ear(&stated).unwrap().status(), tier);
    }
    // The word says one thing and the vector another.
    for (claim, tier) in [
        (2, Tier::Affirming),
        (0, Tier::None),
        (1, Tier::None),
        (-1, Tier::None),
        (33, Tier::Warning),
        (-97, Tier::Contraindicated),
    ] {
        let appraisal = json!({ "ear_status": "affirming", "ear_trustworthiness_vector": { "hardware": claim } });
        assert_eq!(read_ear(json!({ "a": appraisal })), tier, "{claim}");
    }
}

#[test]
fn the_nonce_is_compared_whole() {
    let issuer = Issuer::es256();
    let nonce = |text: String| issuer.read_ear(&with(underscored(), "eat_nonce", text));
    assert!(nonce(BASE64_URL_SAFE.encode(NONCE)).is_ok(), "padded");
    assert!(nonce(BASE64_URL_SAFE_NO_PAD.encode(NONCE)).is_ok());
    assert_eq!(
        nonce(BASE64_URL_SAFE.encode(&NONCE[..31])),
        Err(EarError::Nonce)
    );
    assert_eq!(
        nonce(BASE64_URL_SAFE.encode([NONCE, b"0"].concat())),
        Err(EarError::Nonce)
    );
    assert_eq!(nonce(String::new()), Err(EarError::Nonce));
    assert_eq!(nonce("!".to_owned()), Err(EarError::Nonce));
    let several = json!([BASE64_URL_SAFE.encode(NONCE), BASE64_URL_SAFE.encode(NONCE)]);
    assert_eq!(
        issuer.read_ear(&with(underscored(), "eat_nonce", several)),
        Err(EarError::Nonce)
    );
}

#[test]
fn the_nonce_of_the_evidence_is_another_claim() {
    let issuer = Issuer::es256();
    let part = json!({ "ear_status": "affirming", "eat_nonce": BASE64_URL_SAFE.encode([9; 32]) });
    let ear = issuer
        .read_ear(&with(underscored(), "submods", json!({ "a": part })))
        .unwrap();
    assert_eq!(ear.nonce(), Some(NONCE));
    assert_eq!(ear.submod("a").unwrap().nonce(), Some(&[9; 32][..]));
}

#[test]
fn times_are_checked_to_the_second() {
    let issuer = Issuer::es256();
    let read_ear = |claims: &Value, now: u64| {
        let check = Check {
            now: at(now),
            ..check(now, ExpectedNonce::Echoed(NONCE))
        };
        decode(&issuer.jwt(claims), &issuer.keys(), &check).map(|_| ())
    };
    let claims = with(underscored(), "exp", 1_000_100);
    assert_eq!(read_ear(&claims, 1_000_099), Ok(()));
    assert_eq!(read_ear(&claims, 1_000_100), Err(EarError::Expired));
    let claims = underscored();
    assert_eq!(read_ear(&claims, 1_003_599), Ok(()));
    assert_eq!(read_ear(&claims, 1_003_600), Err(EarError::Expired));
    assert_eq!(read_ear(&claims, 999_940), Ok(()));
    assert_eq!(read_ear(&claims, 999_939), Err(EarError::Future));
    let claims = with(underscored(), "nbf", 1_000_200);
    assert_eq!(read_ear(&claims, 1_000_139), Err(EarError::Future));
    assert_eq!(read_ear(&claims, 1_000_140), Ok(()));
    let claims = with(underscored(), "iat", u64::MAX);
    assert_eq!(read_ear(&claims, 1_000_000), Err(EarError::Future));
}

#[test]
fn the_issuer_is_compared_where_one_is_expected() {
    let issuer = Issuer::es256();
    let read_ear = |claims: &Value| {
        let check = Check {
            issuer: Some("us"),
            ..check(1_000_000, ExpectedNonce::Echoed(NONCE))
        };
        decode(&issuer.jwt(claims), &issuer.keys(), &check).map(|_| ())
    };
    assert_eq!(read_ear(&underscored()), Err(EarError::Issuer));
    assert_eq!(
        read_ear(&with(underscored(), "iss", "them")),
        Err(EarError::Issuer)
    );
    assert_eq!(
        read_ear(&with(underscored(), "iss", json!(["us"]))),
        Err(EarError::Issuer)
    );
    assert_eq!(read_ear(&with(underscored(), "iss", "us")), Ok(()));
}
