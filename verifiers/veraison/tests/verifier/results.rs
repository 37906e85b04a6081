//! Results that are taken or refused.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Tier;
use atls_remote::RemoteVerifier;
use atls_sim::Lifecycle;
use atls_sim::SimAttester;
use atls_veraison::FormatWithParts;
use atls_veraison::Parts;
use atls_veraison::PsaToken;
use atls_veraison::Wrapping;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use test_support::Connection;

use crate::fixtures::Expected;
use crate::fixtures::appraise;
use crate::fixtures::builder;
use crate::fixtures::status;
use crate::fixtures::verifier;
use crate::support::Fake;
use crate::support::NOW;
use crate::support::Step;
use crate::support::provider;

/// The status where the claim at this JSON pointer has another value, or is absent.
async fn status_with(pointer: &'static str, value: Option<Value>) -> Expected {
    status(move |claims| {
        let (place, name) = pointer.rsplit_once('/').unwrap();
        let place = claims.pointer_mut(place).unwrap();
        let place = place.as_object_mut().unwrap();
        match value.clone() {
            Some(value) => drop(place.insert(name.to_owned(), value)),
            None => drop(place.remove(name).unwrap()),
        }
    })
    .await
}

const BAD: Expected = Err(AppraisalError::BadResult);

const OUT_OF_TIME: Expected = Err(AppraisalError::ResultExpired);

/// Veraison's PSA scheme affirms it.
#[tokio::test]
async fn a_device_that_is_open_to_debugging_is_contraindicated_even_where_the_service_affirms_it() {
    for code in [
        0x0000, 0x1000, 0x2000, 0x3100, 0x4000, 0x40ff, 0x5000, 0x6000, 0xffff,
    ] {
        let attester = SimAttester::generate().unwrap();
        let attester = attester.with_lifecycle(Lifecycle::Other(code));
        let connection = Connection::new();
        let token = connection.token(&attester).await;
        let appraised = appraise(&verifier(&Fake::new()), &connection, &token).await;
        assert_eq!(
            appraised.unwrap().ear().status(),
            Tier::Contraindicated,
            "{code:#06x}"
        );
    }
}

#[tokio::test]
async fn a_bad_result_stays_bad() {
    const PART: &str = "/submods/PSA_IOT";
    const EXECUTABLES: &str = "/submods/PSA_IOT/ear.trustworthiness-vector/executables";
    let part = |word: &str| json!({ "ear.status": word });
    for (pointer, value, expected) in [
        (PART, part("affirming"), Ok(Tier::Affirming)),
        (PART, part("warning"), Ok(Tier::Warning)),
        (PART, part("contraindicated"), Ok(Tier::Contraindicated)),
        (PART, part("none"), Ok(Tier::None)),
        (PART, part("trusted"), BAD),
        (EXECUTABLES, 33.into(), Ok(Tier::Warning)),
        (
            "/submods/other",
            part("contraindicated"),
            Ok(Tier::Contraindicated),
        ),
    ] {
        let found = status_with(pointer, Some(value.clone())).await;
        assert_eq!(found, expected, "{pointer} {value}");
    }
}

#[tokio::test]
async fn a_result_must_appraise_every_expected_part() {
    let renamed = json!({ "psa-iot": { "ear.status": "affirming" } });
    for submods in [None, Some(json!({})), Some(renamed)] {
        assert_eq!(status_with("/submods", submods).await, BAD);
    }
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let parts = Parts::of("PSA_IOT").with("GPU");
    let two_parts = builder(&Fake::new()).format(FormatWithParts::new(PsaToken::tfm(), parts));
    let refused = appraise(&two_parts.build().unwrap(), &connection, &token).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
}

#[tokio::test]
async fn a_result_must_answer_this_nonce() {
    let other = json!(BASE64_URL_SAFE.encode([0; 32]));
    for nonce in [None, Some(other), Some(json!("")), Some(Value::Null)] {
        let found = status_with("/eat_nonce", nonce.clone()).await;
        assert_eq!(found, BAD, "{nonce:?}");
    }
    let several =
        status(|claims| claims["eat_nonce"] = json!([claims["eat_nonce"], "AAAAAAAAAAA="]));
    assert_eq!(several.await, BAD);
    // A profile without that claim is none of Veraison's.
    let trustee = status(|claims| {
        claims["eat_profile"] = "tag:github.com,2024:confidential-containers/Trustee".into();
        claims.as_object_mut().unwrap().remove("eat_nonce");
    });
    assert_eq!(trustee.await, BAD);
    let unpadded = status(|claims| {
        let nonce = claims["eat_nonce"].as_str().unwrap();
        claims["eat_nonce"] = nonce.trim_end_matches('=').into();
    });
    assert_eq!(unpadded.await, Ok(Tier::Affirming));
}

#[tokio::test]
async fn a_result_must_be_of_now() {
    for (pointer, time, expected) in [
        ("/iat", Some(NOW + 60), Ok(Tier::Affirming)),
        ("/iat", Some(NOW + 61), OUT_OF_TIME),
        ("/iat", Some(NOW - 299), Ok(Tier::Affirming)),
        ("/iat", Some(NOW - 300), OUT_OF_TIME),
        ("/iat", None, BAD),
        ("/exp", Some(NOW), OUT_OF_TIME),
    ] {
        let found = status_with(pointer, time.map(Value::from)).await;
        assert_eq!(found, expected, "{pointer} {time:?}");
    }
}

#[tokio::test]
async fn the_current_dialect_is_read_too() {
    let current = status(|claims| {
        *claims = json!({
            "eat_profile": "tag:ietf.org,2026:rats/ear#04",
            "iat": NOW,
            "eat_nonce": claims["eat_nonce"],
            "ear_verifier_id": { "build": "N/A", "developer": "Veraison Project" },
            "submods": { "PSA_IOT": { "ear_status": "affirming" } },
        });
    });
    assert_eq!(current.await, Ok(Tier::Affirming));
    let unknown = json!("tag:example.com,2026:ear");
    assert_eq!(status_with("/eat_profile", Some(unknown)).await, BAD);
}

#[tokio::test]
async fn a_result_must_be_signed_by_the_pinned_key() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let appraise = async |change: fn([&str; 3]) -> String| {
        let fake = Fake::new().tampering(move |step, answer| match step {
            Step::Submit => {
                let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
                let parts: Vec<_> = body["result"].as_str().unwrap().split('.').collect();
                body["result"] = change(parts.try_into().unwrap()).into();
                answer.map(|_| body.to_string().into_bytes())
            }
            _ => answer,
        });
        appraise(&verifier(&fake), &connection, &token)
            .await
            .map(drop)
    };
    assert_eq!(appraise(|parts| parts.join(".")).await, Ok(()));
    let changes: [fn([&str; 3]) -> String; 7] = [
        |_| String::new(),
        |[header, claims, _]| format!("{header}.{claims}"),
        |[header, claims, _]| format!("{header}.{claims}."),
        |[_, claims, _]| format!("{}.{claims}.", header(r#"{"alg":"none"}"#)),
        |[_, claims, _]| format!("{}.{claims}.AAAA", header(r#"{"alg":"HS256"}"#)),
        |[_, claims, _]| {
            let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
            Fake::new().token(&serde_json::from_slice(&claims).unwrap())
        },
        |[header, claims, signature]| {
            let other = if signature.starts_with('A') { 'B' } else { 'A' };
            format!("{header}.{claims}.{other}{}", &signature[1..])
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let refused = appraise(change).await;
        assert_eq!(refused, Err(AppraisalError::BadResult), "change {index}");
    }
}

fn header(json: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

#[tokio::test]
async fn evidence_in_a_cmw_is_the_same_evidence() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    for (wrapping, content_type) in [
        (Wrapping::CmwCbor, "application/cmw+cbor"),
        (Wrapping::CmwJson, "application/cmw+json"),
    ] {
        let fake = Fake::new();
        let service = crate::support::service(&fake).with_wrapping(wrapping);
        let verifier = RemoteVerifier::builder(service, Arc::new(fake.keys()), &provider());
        let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
        appraise(&verifier, &connection, &token).await.unwrap();
        let sent = fake.request(Step::Submit);
        assert_eq!(sent.headers()["content-type"], content_type);
        let cmw = Cmw::decode(sent.body()).unwrap();
        assert_eq!(cmw.items()[0].value(), token);
        assert_eq!(
            cmw.items()[0].media_type().as_ref(),
            verifier.media_types().first()
        );
    }
}
