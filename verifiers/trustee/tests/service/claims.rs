//! The claims that say whom a result is about.

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use serde_json::Value;
use serde_json::json;

use crate::trustee::NOW;
use crate::trustee::appraised_with;

#[tokio::test]
async fn each_claim_that_says_whom_a_result_is_about_is_checked() {
    let cases: Vec<(&str, fn(&mut Value))> = vec![
        ("other report data", |claims| {
            annotated(claims)["report_data"] = "00".repeat(64).into();
        }),
        ("shorter report data", |claims| {
            respelled(claims, |text| text[..126].to_owned());
        }),
        ("longer report data", |claims| {
            respelled(claims, |text| format!("{text}00"));
        }),
        ("report data of another spelling", |claims| {
            respelled(claims, |text| format!("0x{text}"));
        }),
        ("no report data", |claims| {
            remove(annotated(claims), "report_data");
        }),
        ("report data in the runtime data", |claims| {
            let moved = annotated(claims)["report_data"].take();
            annotated(claims)["runtime_data_claims"] = json!({ "report_data": moved });
        }),
        ("another TEE", |claims| {
            let tdx = annotated(claims).as_object_mut().unwrap().remove("tdx");
            annotated(claims)["sample"] = tdx.unwrap();
        }),
        ("another policy", |claims| {
            claims["submods"]["cpu0"]["ear.appraisal-policy-id"] = "lenient".into();
        }),
        ("no policy", |claims| {
            cpu(claims).remove("ear.appraisal-policy-id");
        }),
        ("another part", |claims| {
            let cpu = claims["submods"]["cpu0"].take();
            claims["submods"] = json!({ "gpu0": cpu });
        }),
        ("one more part", |claims| {
            claims["submods"]["cpu1"] = claims["submods"]["cpu0"].clone();
        }),
        ("no parts", |claims| claims["submods"] = json!({})),
        ("no status", |claims| {
            cpu(claims).remove("ear.status");
        }),
        ("no annotated evidence", |claims| {
            cpu(claims).remove("ear.veraison.annotated-evidence");
        }),
        ("another issuer", |claims| claims["iss"] = "CoCo".into()),
        ("no issuer", |claims| remove(claims, "iss")),
        ("no end", |claims| remove(claims, "exp")),
        ("no beginning", |claims| remove(claims, "iat")),
        ("a beginning in the future", |claims| {
            claims["iat"] = (NOW + 61).into();
        }),
        ("another profile", |claims| {
            claims["eat_profile"] = "tag:github.com,2023:veraison/ear".into();
        }),
        ("a nonce, which the profile has not", |claims| {
            claims["eat_nonce"] = "AAAAAAAAAAA".into();
        }),
    ];
    for (name, change) in cases {
        let refused = appraised_with(change).await;
        let expected = match name.contains("future") {
            true => AppraisalError::ResultExpired,
            false => AppraisalError::BadResult,
        };
        assert_eq!(refused.unwrap_err(), expected, "{name}");
    }
}

/// Trustee is moving the claims to their place in draft-ietf-rats-ear-04.
#[tokio::test]
async fn claims_of_the_evidence_are_read_wherever_the_result_has_them() {
    let moved: Vec<(&str, fn(&mut Value))> = vec![
        ("under the name of the TEE", |claims| {
            let old = annotated(claims).take();
            cpu(claims).remove("ear.veraison.annotated-evidence");
            cpu(claims).insert("ear_attester_claims".to_owned(), old);
        }),
        ("beside the name of the TEE", |claims| {
            let new = beside(annotated(claims));
            cpu(claims).remove("ear.veraison.annotated-evidence");
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("in both places", |claims| {
            let new = beside(annotated(claims));
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("in the older one, and the newer is empty", |claims| {
            cpu(claims).insert("ear_attester_claims".to_owned(), json!({}));
        }),
    ];
    for (name, change) in moved {
        let appraised = appraised_with(change).await;
        let status = appraised.map(|appraised| appraised.ear().status());
        assert_eq!(status, Ok(Tier::Affirming), "{name}");
    }
}

#[tokio::test]
async fn two_places_that_disagree_are_about_nothing() {
    let altered: Vec<(&str, fn(&mut Value))> = vec![
        ("other report data in the newer", |claims| {
            let mut new = beside(annotated(claims));
            new["report_data"] = "00".repeat(64).into();
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("other report data in the older", |claims| {
            let new = beside(annotated(claims));
            annotated(claims)["report_data"] = "00".repeat(64).into();
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("report data that is no text", |claims| {
            let mut new = beside(annotated(claims));
            new["report_data"] = json!([1]);
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("another TEE in the newer", |claims| {
            let mut new = beside(annotated(claims));
            new["tee"] = "sample".into();
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("another TEE in the older", |claims| {
            let new = beside(annotated(claims));
            remove(annotated(claims), "tdx");
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("a place that is no object", |claims| {
            cpu(claims).insert("ear_attester_claims".to_owned(), json!("tdx"));
        }),
        ("report data in the verifier's claims alone", |claims| {
            let new = beside(annotated(claims));
            cpu(claims).remove("ear.veraison.annotated-evidence");
            cpu(claims).insert("ear_verifier_claims".to_owned(), new);
        }),
    ];
    for (name, change) in altered {
        let refused = appraised_with(change).await.map(drop);
        assert_eq!(refused, Err(AppraisalError::BadResult), "{name}");
    }
}

/// The claims in the layout of Trustee's next results.
fn beside(annotated: &Value) -> Value {
    json!({ "tee": "tdx", "claims": annotated["tdx"], "report_data": annotated["report_data"] })
}

fn cpu(claims: &mut Value) -> &mut serde_json::Map<String, Value> {
    claims["submods"]["cpu0"].as_object_mut().unwrap()
}

fn annotated(claims: &mut Value) -> &mut Value {
    &mut claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
}

fn respelled(claims: &mut Value, change: fn(&str) -> String) {
    let text = &mut annotated(claims)["report_data"];
    *text = change(text.as_str().unwrap()).into();
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}
