//! Results as verifiers sign them: recorded from real services, and forged to try each rule.
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

use std::time::Duration;

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerificationKeys;
use atls_core::ear::VerifierId;
use atls_core::ear::cwt;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;
use support::issuer::Issuer;
use support::issuer::NONCE;
use support::issuer::check;
use support::issuer::decode;
use support::issuer::decode_with;
use support::issuer::dotted;
use support::issuer::underscored;
use support::issuer::underscored_cbor;
use support::issuer::with;
use support::providers;
use test_support::at;
use test_support::vectors;

// --- Recorded from the real services -----------------------------------------------------------------------------

const RECORDED_AT: u64 = 1_795_468_100;

/// One recorded token: the file, its session's nonce, and its judgement.
const VERAISON: [(&str, &str, Tier); 5] = [
    (
        "veraison-cca-affirming",
        "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA",
        Tier::Affirming,
    ),
    (
        "veraison-parsec-tpm-affirming",
        "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA",
        Tier::Affirming,
    ),
    (
        "veraison-psa-affirming",
        "QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk",
        Tier::Affirming,
    ),
    (
        "veraison-psa-wrong-nonce-contraindicated",
        "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8",
        Tier::Contraindicated,
    ),
    (
        "veraison-tpm-enacttrust-affirming-any-nonce",
        "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8",
        Tier::Affirming,
    ),
];

#[test]
fn veraisons_results_parse_and_judge_as_they_are_named() {
    let Some(folder) = vectors() else { return };
    let jwk =
        std::fs::read_to_string(folder.join("ear/veraison-ear-verification-key.jwk")).unwrap();
    let keys = VerificationKeys::from_jwk(&jwk).unwrap();
    for provider in providers() {
        for (name, nonce, status) in VERAISON {
            let path = folder.join("ear").join(format!("{name}.ear.jwt"));
            let token = std::fs::read_to_string(path).unwrap();
            let nonce = BASE64_URL_SAFE_NO_PAD.decode(nonce).unwrap();
            let check = check(RECORDED_AT, ExpectedNonce::Echoed(&nonce));
            let ear = decode_with(&provider, token.trim(), &keys, &check).unwrap();
            assert_eq!(ear.status(), status, "{name}");
            assert_eq!(ear.expires_at(), None, "{name}");
            assert_eq!(ear.nonce(), Some(&nonce[..]), "{name}");
            assert_eq!(ear.verifier().developer(), "Veraison Project");
        }
    }
}

#[test]
fn a_composite_result_names_its_parts() {
    let Some(folder) = vectors() else { return };
    let jwk =
        std::fs::read_to_string(folder.join("ear/veraison-ear-verification-key.jwk")).unwrap();
    let token = std::fs::read_to_string(folder.join("ear/veraison-cca-affirming.ear.jwt")).unwrap();
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(VERAISON[0].1).unwrap();
    let keys = VerificationKeys::from_jwk(&jwk).unwrap();
    let check = check(RECORDED_AT, ExpectedNonce::Echoed(&nonce));
    let ear = decode(token.trim(), &keys, &check).unwrap();
    let names: Vec<_> = ear.submods().map(|(name, _)| name).collect();
    assert_eq!(names, ["CCA_REALM", "CCA_SSD_PLATFORM"]);
    let platform = ear.submod("CCA_SSD_PLATFORM").unwrap();
    assert_eq!(
        platform.vector().get(Category::Hardware),
        TrustClaim::new(2)
    );
    assert_eq!(platform.policy_ids(), ["policy:ARM_CCA"]);
    let realm = ear.submod("CCA_REALM").unwrap();
    let annotated = realm.extension("ear.veraison.annotated-evidence").unwrap();
    assert!(
        annotated["cca-realm-challenge"]
            .as_str()
            .unwrap()
            .starts_with("byTWuWNaLIu/")
    );
}

#[test]
fn trustees_results_parse_and_judge_as_they_are_named() {
    let Some(folder) = vectors() else { return };
    let jwks = std::fs::read_to_string(folder.join("ear/trustee-jwks.json")).unwrap();
    let keys = VerificationKeys::from_jwk_set(&jwks).unwrap();
    for (name, status) in [
        ("trustee-snp-genoa-affirming", Tier::Affirming),
        ("trustee-sample-raw", Tier::Contraindicated),
        ("trustee-sample-structured", Tier::Contraindicated),
    ] {
        let path = folder.join("ear").join(format!("{name}.ear.jwt"));
        let token = std::fs::read_to_string(path).unwrap();
        let check = check(RECORDED_AT + 200, ExpectedNonce::InAnotherClaim);
        let ear = decode(token.trim(), &keys, &check).unwrap();
        assert_eq!(ear.status(), status, "{name}");
        assert_eq!(ear.nonce(), None);
        assert_eq!(ear.issuer(), Some("CoCo-Attestation-Service"));
        let lifetime = ear.expires_at().unwrap().as_secs() - ear.issued_at().as_secs();
        assert_eq!(lifetime, 300);
        assert!(
            ear.submod("cpu0")
                .unwrap()
                .extension("ear.veraison.annotated-evidence")
                .is_some()
        );
        // It has no nonce, so none can be demanded of it.
        let demanding = Check {
            nonce: ExpectedNonce::Echoed(b"12345678"),
            ..check
        };
        assert_eq!(
            decode(token.trim(), &keys, &demanding),
            Err(EarError::Nonce)
        );
    }
}

#[test]
fn a_recorded_result_is_refused_once_it_is_old_or_under_another_key() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join("ear").join(name)).unwrap();
    let veraison = VerificationKeys::from_jwk(&read("veraison-ear-verification-key.jwk")).unwrap();
    let trustee = VerificationKeys::from_jwk_set(&read("trustee-jwks.json")).unwrap();
    let token = read("veraison-psa-affirming.ear.jwt");
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(VERAISON[2].1).unwrap();
    let fresh = check(RECORDED_AT, ExpectedNonce::Echoed(&nonce));
    assert_eq!(
        decode(token.trim(), &trustee, &fresh),
        Err(EarError::BadSignature)
    );
    let late = Check {
        now: at(RECORDED_AT + 3600),
        ..fresh.clone()
    };
    assert_eq!(
        decode(token.trim(), &veraison, &late),
        Err(EarError::Expired)
    );
    let early = Check {
        now: at(RECORDED_AT - 62),
        ..fresh.clone()
    };
    assert_eq!(
        decode(token.trim(), &veraison, &early),
        Err(EarError::Future)
    );
    let unasked = Check {
        nonce: ExpectedNonce::InAnotherClaim,
        ..fresh
    };
    assert_eq!(
        decode(token.trim(), &veraison, &unasked),
        Err(EarError::Nonce)
    );
}

// --- Forged --------------------------------------------------------------------------------------------------------

#[test]
fn both_dialects_are_read_and_never_mixed() {
    let issuer = Issuer::es256();
    for profile in [
        "tag:ietf.org,2026:rats/ear#03",
        "tag:ietf.org,2026:rats/ear#04",
    ] {
        let ear = issuer
            .judge(&with(underscored(), "eat_profile", profile))
            .unwrap();
        assert_eq!((ear.status(), ear.profile()), (Tier::Warning, profile));
    }
    assert_eq!(issuer.judge(&dotted()).unwrap().status(), Tier::Warning);
    let mixed = with(dotted(), "eat_profile", "tag:ietf.org,2026:rats/ear#04");
    assert_eq!(issuer.judge(&mixed), Err(EarError::Malformed));
    let mixed = with(
        underscored(),
        "eat_profile",
        "tag:github.com,2023:veraison/ear",
    );
    assert_eq!(issuer.judge(&mixed), Err(EarError::Malformed));
    for profile in [
        "tag:ietf.org,2025-07:ear",
        "",
        "tag:github.com,2023:veraison/ear ",
    ] {
        assert_eq!(
            issuer.judge(&with(underscored(), "eat_profile", profile)),
            Err(EarError::Profile)
        );
    }
}

#[test]
fn the_key_of_a_holder_is_kept() {
    let issuer = Issuer::es256();
    assert_eq!(issuer.judge(&dotted()).unwrap().confirmation(), None);
    for key in [
        json!({ "jwk": { "kty": "EC" } }),
        json!("none"),
        Value::Null,
    ] {
        let mut claims = underscored();
        claims["cnf"] = key.clone();
        let ear = issuer.judge(&claims).unwrap();
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
        assert_eq!(issuer.judge(&claims), Err(expected), "{name}");
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
            issuer.judge(&with(underscored(), name, value.clone())),
            Err(EarError::Malformed),
            "{name} {value}"
        );
    }
}

#[test]
fn a_status_is_as_bad_as_the_worst_that_is_said() {
    let issuer = Issuer::es256();
    let judge = |submods: Value| {
        issuer
            .judge(&with(underscored(), "submods", submods))
            .unwrap()
            .status()
    };
    let affirming = || json!({ "ear_status": "affirming" });
    assert_eq!(judge(json!({ "a": affirming() })), Tier::Affirming);
    for (status, tier) in [
        ("warning", Tier::Warning),
        ("none", Tier::None),
        ("contraindicated", Tier::Contraindicated),
    ] {
        assert_eq!(
            judge(json!({ "a": affirming(), "b": { "ear_status": status } })),
            tier
        );
        let stated = with(
            with(underscored(), "submods", json!({ "a": affirming() })),
            "ear_status",
            status,
        );
        assert_eq!(issuer.judge(&stated).unwrap().status(), tier);
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
        assert_eq!(judge(json!({ "a": appraisal })), tier, "{claim}");
    }
}

#[test]
fn the_nonce_is_compared_whole() {
    let issuer = Issuer::es256();
    let nonce = |text: String| issuer.judge(&with(underscored(), "eat_nonce", text));
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
        issuer.judge(&with(underscored(), "eat_nonce", several)),
        Err(EarError::Nonce)
    );
}

#[test]
fn the_nonce_of_the_evidence_is_another_claim() {
    let issuer = Issuer::es256();
    let part = json!({ "ear_status": "affirming", "eat_nonce": BASE64_URL_SAFE.encode([9; 32]) });
    let ear = issuer
        .judge(&with(underscored(), "submods", json!({ "a": part })))
        .unwrap();
    assert_eq!(ear.nonce(), Some(NONCE));
    assert_eq!(ear.submod("a").unwrap().nonce(), Some(&[9; 32][..]));
}

#[test]
fn times_are_checked_to_the_second() {
    let issuer = Issuer::es256();
    let judge = |claims: &Value, now: u64| {
        let check = Check {
            now: at(now),
            ..check(now, ExpectedNonce::Echoed(NONCE))
        };
        decode(&issuer.jwt(claims), &issuer.keys(), &check).map(|_| ())
    };
    let claims = with(underscored(), "exp", 1_000_100);
    assert_eq!(judge(&claims, 1_000_099), Ok(()));
    assert_eq!(judge(&claims, 1_000_100), Err(EarError::Expired));
    let claims = underscored();
    assert_eq!(judge(&claims, 1_003_599), Ok(()));
    assert_eq!(judge(&claims, 1_003_600), Err(EarError::Expired));
    assert_eq!(judge(&claims, 999_940), Ok(()));
    assert_eq!(judge(&claims, 999_939), Err(EarError::Future));
    let claims = with(underscored(), "nbf", 1_000_200);
    assert_eq!(judge(&claims, 1_000_139), Err(EarError::Future));
    assert_eq!(judge(&claims, 1_000_140), Ok(()));
    let claims = with(underscored(), "iat", u64::MAX);
    assert_eq!(judge(&claims, 1_000_000), Err(EarError::Future));
}

#[test]
fn the_issuer_is_compared_where_one_is_expected() {
    let issuer = Issuer::es256();
    let judge = |claims: &Value| {
        let check = Check {
            issuer: Some("us"),
            ..check(1_000_000, ExpectedNonce::Echoed(NONCE))
        };
        decode(&issuer.jwt(claims), &issuer.keys(), &check).map(|_| ())
    };
    assert_eq!(judge(&underscored()), Err(EarError::Issuer));
    assert_eq!(
        judge(&with(underscored(), "iss", "them")),
        Err(EarError::Issuer)
    );
    assert_eq!(
        judge(&with(underscored(), "iss", json!(["us"]))),
        Err(EarError::Issuer)
    );
    assert_eq!(judge(&with(underscored(), "iss", "us")), Ok(()));
}

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
fn a_name_that_stands_twice_is_refused_wherever_it_stands() {
    let issuer = Issuer::es256();
    let claims = underscored().to_string();
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let judge = |header: &str, claims: &str| {
        let token = issuer.jwt_of(header, claims);
        decode(&token, &issuer.keys(), &check).map(drop)
    };
    let header = r#"{"alg":"ES256"}"#;
    assert_eq!(judge(header, &claims), Ok(()));
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
        assert_eq!(judge(header, &doubled), Err(EarError::Malformed), "{twice}");
    }
    for header in [
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"a","kid":"b"}"#,
        r#"{"alg":"ES256","x":1,"x":2}"#,
    ] {
        assert_eq!(judge(header, &claims), Err(EarError::Malformed), "{header}");
    }
}

#[test]
fn a_nonce_too_short_or_too_long_to_be_one_is_neither_expected_nor_read() {
    let issuer = Issuer::es256();
    let judge = |nonce: &[u8]| {
        let check = check(1_000_000, ExpectedNonce::Echoed(nonce));
        let text = BASE64_URL_SAFE_NO_PAD.encode(nonce);
        let token = issuer.jwt(&with(underscored(), "eat_nonce", text));
        decode(&token, &issuer.keys(), &check).map(drop)
    };
    for length in [0, 1, 7, 65, 88] {
        assert_eq!(judge(&vec![7; length]), Err(EarError::Nonce), "{length}");
    }
    for length in [8, 32, 48, 64] {
        assert_eq!(judge(&vec![7; length]), Ok(()), "{length}");
    }
    // The nonce of the Evidence too.
    for length in [0, 7, 65] {
        let nonce = BASE64_URL_SAFE_NO_PAD.encode(vec![7; length]);
        let part = json!({ "a": { "ear_status": "affirming", "eat_nonce": nonce } });
        let claims = with(underscored(), "submods", part);
        assert_eq!(issuer.judge(&claims), Err(EarError::Nonce), "{length}");
    }
}

#[test]
fn a_profile_that_has_a_nonce_must_show_it() {
    let issuer = Issuer::es256();
    for mut claims in [underscored(), dotted()] {
        let elsewhere = check(1_000_000, ExpectedNonce::InAnotherClaim);
        let judge = |claims: &Value| decode(&issuer.jwt(claims), &issuer.keys(), &elsewhere);
        assert_eq!(judge(&claims), Err(EarError::Nonce));
        claims.as_object_mut().unwrap().remove("eat_nonce");
        assert_eq!(judge(&claims), Err(EarError::Nonce));
        let trustee = "tag:github.com,2024:confidential-containers/Trustee";
        claims = with(dotted(), "eat_profile", trustee);
        assert_eq!(judge(&claims), Err(EarError::Nonce), "it has none to show");
        claims.as_object_mut().unwrap().remove("eat_nonce");
        assert!(judge(&claims).is_ok());
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

#[test]
fn every_part_that_is_expected_must_be_there() {
    let issuer = Issuer::es256();
    let part = || json!({ "ear.status": "affirming" });
    let judge = |parts: &[&str], submods: Value| {
        let check = Check {
            submods: parts,
            ..check(1_000_000, ExpectedNonce::Echoed(NONCE))
        };
        let token = issuer.jwt(&with(dotted(), "submods", submods));
        decode(&token, &issuer.keys(), &check).map(|ear| ear.status())
    };
    let cca = ["CCA_REALM", "CCA_SSD_PLATFORM"];
    let whole = json!({ "CCA_REALM": part(), "CCA_SSD_PLATFORM": part() });
    assert_eq!(judge(&cca, whole.clone()), Ok(Tier::Affirming));
    assert_eq!(judge(&cca[..1], whole), Ok(Tier::Affirming));
    let platform_alone = json!({ "CCA_SSD_PLATFORM": part() });
    assert_eq!(
        judge(&cca, platform_alone.clone()),
        Err(EarError::MissingSubmod)
    );
    assert_eq!(judge(&[], platform_alone), Ok(Tier::Affirming));
    let renamed = json!({ "cca_realm": part(), "CCA_SSD_PLATFORM": part() });
    assert_eq!(judge(&cca, renamed), Err(EarError::MissingSubmod));
    assert_eq!(judge(&[], json!({})), Err(EarError::Malformed));
}

#[test]
fn a_recorded_composite_without_its_realm_would_be_refused() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join("ear").join(name)).unwrap();
    let keys = VerificationKeys::from_jwk(&read("veraison-ear-verification-key.jwk")).unwrap();
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(VERAISON[0].1).unwrap();
    let token = read("veraison-cca-affirming.ear.jwt");
    let judge = |submods: &[&str]| {
        let check = Check::new(
            at(RECORDED_AT),
            Duration::from_secs(3600),
            ExpectedNonce::Echoed(&nonce),
        );
        decode(token.trim(), &keys, &check.with_submods(submods)).map(drop)
    };
    assert_eq!(judge(&["CCA_REALM", "CCA_SSD_PLATFORM"]), Ok(()));
    let refused = judge(&["CCA_REALM", "CCA_SSD_PLATFORM", "GPU"]);
    assert_eq!(refused, Err(EarError::MissingSubmod));
}

#[test]
fn a_local_result_cannot_be_made_better_than_its_vector() {
    let vector = TrustVector::new().with(Category::Executables, TrustClaim::new(33));
    let appraisal = Appraisal::new(vector).with_status(Tier::Affirming);
    assert_eq!(appraisal.status(), Tier::Warning);
    let verifier = VerifierId::new("us", "1");
    let ear = Ear::local(
        verifier,
        at(1),
        "a",
        appraisal.clone().with_status(Tier::Contraindicated),
    );
    assert_eq!(
        ear.clone().with_submod("a", appraisal).status(),
        Tier::Contraindicated
    );
    assert_eq!(ear.status(), Tier::Contraindicated);
}

proptest! {
    #[test]
    fn arbitrary_claims_never_panic(name in "[a-z_.]{1,20}", value in "[ -~]{0,40}", number in any::<i64>()) {
        let issuer = fixed_issuer();
        for value in [json!(value), json!(number), json!({ name.clone(): value }), json!([number])] {
            for known in ["ear_status", "submods", "eat_nonce", "iat", "exp", &name] {
                let _ = issuer.judge(&with(underscored(), known, value.clone()));
            }
        }
    }

    #[test]
    fn arbitrary_tokens_never_panic(text in "[A-Za-z0-9_.-]{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let issuer = fixed_issuer();
        let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
        let supported = &providers()[0].signature_verification_algorithms;
        prop_assert!(decode(&text, &issuer.keys(), &check).is_err());
        prop_assert!(cwt::decode(&bytes, &issuer.keys(), supported, &check).is_err());
    }
}

// --- Helpers -------------------------------------------------------------------------------------------------------

thread_local! {
    static FIXED: std::rc::Rc<Issuer> = std::rc::Rc::new(Issuer::es256());
}

fn fixed_issuer() -> std::rc::Rc<Issuer> {
    FIXED.with(std::rc::Rc::clone)
}
