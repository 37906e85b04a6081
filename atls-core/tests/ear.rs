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
use atls_core::ear::KeyError;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerificationKeys;
use atls_core::ear::VerifierId;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_core::pki_types::UnixTime;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use proptest::prelude::*;
use rustls::crypto::CryptoProvider;
use serde_json::Value;
use serde_json::json;
use support::providers;
use support::vectors;

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
    assert_eq!(
        refused(&json!({ "alg": "ES256", "zip": "DEF" })),
        EarError::Algorithm
    );
    assert_eq!(refused(&json!({})), EarError::Algorithm);
}

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

#[test]
fn every_flipped_octet_and_every_truncation_of_a_jwt_is_refused() {
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
fn every_flipped_octet_and_every_truncation_of_a_cwt_is_refused() {
    let issuer = Issuer::es256();
    let token = issuer.cwt(&underscored_cbor());
    let provider = &providers()[0];
    let supported = &provider.signature_verification_algorithms;
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let judge = |token: &[u8]| cwt::decode(token, &issuer.keys(), supported, &check).map(|_| ());
    assert_eq!(judge(&token), Ok(()));
    assert_eq!(
        judge(&[&[0xd8, 0x3d], &token[..]].concat()),
        Ok(()),
        "with the CWT tag"
    );
    assert_eq!(judge(&token[1..]), Ok(()), "without tag");
    for index in 0..token.len() {
        assert!(judge(&token[..index]).is_err(), "cut at {index}");
        let mut altered = token.clone();
        altered[index] ^= 1;
        assert!(judge(&altered).is_err(), "flipped at {index}");
    }
    assert_eq!(
        judge(&[&token[..], &[0]].concat()),
        Err(EarError::Malformed)
    );
    assert_eq!(judge(&[0x81; 60_000]), Err(EarError::Malformed));
    assert_eq!(judge(&[0; 70_000]), Err(EarError::TooLarge));
}

#[test]
fn a_cwt_has_numbers_for_tiers_and_each_claim_once() {
    let issuer = Issuer::es256();
    let provider = &providers()[0];
    let supported = &provider.signature_verification_algorithms;
    let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
    let judge = |claims: Cbor| {
        cwt::decode(&issuer.cwt(&claims), &issuer.keys(), supported, &check).map(|ear| ear.status())
    };
    let part = |status: Cbor| cbor_map(vec![(1000.into(), status)]);
    let with_part =
        |part: Cbor| replaced(underscored_cbor(), 266, cbor_map(vec![("a".into(), part)]));
    assert_eq!(judge(with_part(part(2.into()))), Ok(Tier::Affirming));
    assert_eq!(judge(with_part(part(0.into()))), Ok(Tier::None));
    assert_eq!(judge(with_part(part(96.into()))), Ok(Tier::Contraindicated));
    assert_eq!(judge(with_part(part(3.into()))), Err(EarError::Malformed));
    assert_eq!(
        judge(with_part(part("affirming".into()))),
        Err(EarError::Malformed)
    );
    let twice = cbor_map(vec![(1000.into(), 2.into()), (1000.into(), 2.into())]);
    assert_eq!(judge(with_part(twice)), Err(EarError::Malformed));
    let shadowed = cbor_map(vec![
        (1000.into(), 96.into()),
        ("ear_status".into(), 2.into()),
    ]);
    assert_eq!(judge(with_part(shadowed)), Err(EarError::Malformed));
    let dotted = replaced(
        underscored_cbor(),
        265,
        "tag:github.com,2023:veraison/ear".into(),
    );
    assert_eq!(judge(dotted), Err(EarError::Malformed));
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
    fn arbitrary_tokens_never_panic(text in "[A-Za-z0-9_.-]{0,200}", octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let issuer = fixed_issuer();
        let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
        let supported = &providers()[0].signature_verification_algorithms;
        prop_assert!(decode(&text, &issuer.keys(), &check).is_err());
        prop_assert!(cwt::decode(&octets, &issuer.keys(), supported, &check).is_err());
    }
}

// --- Helpers -------------------------------------------------------------------------------------------------------

const NONCE: &[u8] = b"this nonce has thirty-two octets";

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn check(now: u64, nonce: ExpectedNonce<'_>) -> Check<'_> {
    Check {
        now: at(now),
        max_age: Duration::from_secs(3600),
        nonce,
        issuer: None,
    }
}

fn decode(token: &str, keys: &VerificationKeys, check: &Check<'_>) -> Result<Ear, EarError> {
    decode_with(
        &rustls::crypto::ring::default_provider(),
        token,
        keys,
        check,
    )
}

fn decode_with(
    provider: &CryptoProvider,
    token: &str,
    keys: &VerificationKeys,
    check: &Check<'_>,
) -> Result<Ear, EarError> {
    jwt::decode(
        token,
        keys,
        &provider.signature_verification_algorithms,
        check,
    )
}

fn underscored() -> Value {
    json!({
        "eat_profile": "tag:ietf.org,2026:rats/ear#04",
        "iat": 1_000_000,
        "eat_nonce": BASE64_URL_SAFE_NO_PAD.encode(NONCE),
        "ear_verifier_id": { "developer": "us", "build": "1" },
        "submods": { "a": {
            "ear_status": "warning",
            "ear_trustworthiness_vector": { "hardware": 2, "executables": 33 },
            "ear_appraisal_policy_ids": ["p"],
        } },
        "unknown": { "to be": "ignored" },
    })
}

fn dotted() -> Value {
    json!({
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "iat": 1_000_000,
        "eat_nonce": BASE64_URL_SAFE.encode(NONCE),
        "ear.verifier-id": { "developer": "us", "build": "1" },
        "submods": { "a": { "ear.status": "warning", "ear.appraisal-policy-id": "p" } },
    })
}

fn underscored_cbor() -> Cbor {
    let vector = cbor_map(vec![(4.into(), 2.into()), (2.into(), 33.into())]);
    let part = cbor_map(vec![
        (1000.into(), 32.into()),
        (1001.into(), vector),
        (1003.into(), Cbor::Array(vec!["p".into()])),
    ]);
    cbor_map(vec![
        (265.into(), "tag:ietf.org,2026:rats/ear#04".into()),
        (6.into(), 1_000_000.into()),
        (10.into(), Cbor::Bytes(NONCE.to_vec())),
        (
            1004.into(),
            cbor_map(vec![(0.into(), "us".into()), (1.into(), "1".into())]),
        ),
        (266.into(), cbor_map(vec![("a".into(), part)])),
        ((-70_000).into(), Cbor::Null),
    ])
}

fn cbor_map(entries: Vec<(Cbor, Cbor)>) -> Cbor {
    Cbor::Map(entries)
}

fn replaced(map: Cbor, key: i32, value: Cbor) -> Cbor {
    let mut entries = map.into_map().unwrap();
    entries.retain(|(known, _)| *known != key.into());
    entries.push((key.into(), value));
    Cbor::Map(entries)
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

type Sign = dyn Fn(&[u8]) -> Vec<u8>;

/// A verifier service that signs what it is told.
struct Issuer {
    algorithm: &'static str,
    cose: Algorithm,
    jwk: Value,
    sign: Box<Sign>,
}

impl Issuer {
    fn es256() -> Self {
        Self::ecdsa(
            "ES256",
            Algorithm::ES256,
            "P-256",
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        )
    }

    fn es384() -> Self {
        Self::ecdsa(
            "ES384",
            Algorithm::ES384,
            "P-384",
            &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        )
    }

    fn ecdsa(
        algorithm: &'static str,
        cose: Algorithm,
        curve: &str,
        kind: &'static signature::EcdsaSigningAlgorithm,
    ) -> Self {
        let key = EcdsaKeyPair::generate(kind).unwrap();
        let point = &key.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({ "kty": "EC", "crv": curve, "x": BASE64_URL_SAFE_NO_PAD.encode(x), "y": BASE64_URL_SAFE_NO_PAD.encode(y) });
        let sign = move |message: &[u8]| {
            key.sign(&SystemRandom::new(), message)
                .unwrap()
                .as_ref()
                .to_vec()
        };
        Self {
            algorithm,
            cose,
            jwk,
            sign: Box::new(sign),
        }
    }

    fn ed25519() -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let x = BASE64_URL_SAFE_NO_PAD.encode(key.public_key());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let sign = move |message: &[u8]| key.sign(message).as_ref().to_vec();
        Self {
            algorithm: "EdDSA",
            cose: Algorithm::EdDSA,
            jwk,
            sign: Box::new(sign),
        }
    }

    fn rsa(algorithm: &'static str) -> Self {
        let (cose, encoding): (_, &'static dyn signature::RsaEncoding) = match algorithm {
            "PS256" => (Algorithm::PS256, &signature::RSA_PSS_SHA256),
            "PS384" => (Algorithm::PS384, &signature::RSA_PSS_SHA384),
            _ => (Algorithm::RS256, &signature::RSA_PKCS1_SHA256),
        };
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        // RSAPublicKey of 2048 bits: headers of 9 octets, the modulus, a header of 2, the exponent 65537.
        let der = key.public_key().as_ref();
        let (n, e) = (&der[9..265], &der[267..]);
        let (n, e) = (
            BASE64_URL_SAFE_NO_PAD.encode(n),
            BASE64_URL_SAFE_NO_PAD.encode(e),
        );
        let jwk = json!({ "kty": "RSA", "alg": algorithm, "n": n, "e": e });
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(encoding, &SystemRandom::new(), message, &mut signature)
                .unwrap();
            signature
        };
        Self {
            algorithm,
            cose,
            jwk,
            sign: Box::new(sign),
        }
    }

    fn keys(&self) -> VerificationKeys {
        VerificationKeys::from_jwk(&self.jwk.to_string()).unwrap()
    }

    fn jwt(&self, claims: &Value) -> String {
        self.jwt_with(&json!({ "alg": self.algorithm, "typ": "JWT" }), claims)
    }

    fn jwt_with(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = BASE64_URL_SAFE_NO_PAD.encode((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn cwt(&self, claims: &Cbor) -> Vec<u8> {
        let mut payload = Vec::new();
        ciborium::into_writer(claims, &mut payload).unwrap();
        coset::CoseSign1Builder::new()
            .protected(coset::HeaderBuilder::new().algorithm(self.cose).build())
            .payload(payload)
            .create_signature(b"", &self.sign)
            .build()
            .to_tagged_vec()
            .unwrap()
    }

    fn judge(&self, claims: &Value) -> Result<Ear, EarError> {
        decode(
            &self.jwt(claims),
            &self.keys(),
            &check(1_000_000, ExpectedNonce::Echoed(NONCE)),
        )
    }
}

thread_local! {
    static FIXED: std::rc::Rc<Issuer> = std::rc::Rc::new(Issuer::es256());
}

fn fixed_issuer() -> std::rc::Rc<Issuer> {
    FIXED.with(std::rc::Rc::clone)
}
