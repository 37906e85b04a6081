//! The claims of a token.

use atls_core::AppraisalError;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use serde_json::Value;
use serde_json::json;
use test_support::Connection;

use crate::ita::Ita;
use crate::ita::NOW;
use crate::ita::POLICY;
use crate::ita::appraise;
use crate::ita::quote;
use crate::ita::remove;

#[tokio::test]
async fn each_claim_about_the_subject_of_a_token_is_checked() {
    let cases: Vec<(&str, fn(&mut Value))> = vec![
        ("other report data", |claims| {
            claims["tdx"]["tdx_report_data"] = "00".repeat(64).into();
        }),
        ("half of the report data", |claims| {
            let text = claims["tdx"]["tdx_report_data"].as_str().unwrap()[..64].to_owned();
            claims["tdx"]["tdx_report_data"] = text.into();
        }),
        ("no report data", |claims| {
            claims["tdx"]
                .as_object_mut()
                .unwrap()
                .remove("tdx_report_data");
        }),
        ("report data at the top, beside other claims", |claims| {
            let moved = claims["tdx"]["tdx_report_data"].take();
            claims["tdx_report_data"] = moved;
        }),
        ("another TEE", |claims| {
            claims["tdx"]["attester_type"] = "SGX".into()
        }),
        ("no claims about a TD", |claims| claims["tdx"] = Value::Null),
        ("another issuer", |claims| claims["iss"] = "Intel".into()),
        ("no issuer", |claims| remove(claims, "iss")),
        ("no end", |claims| remove(claims, "exp")),
        ("no beginning", |claims| remove(claims, "iat")),
        ("a beginning in the future", |claims| {
            claims["nbf"] = (NOW + 61).into()
        }),
    ];
    for (name, change) in cases {
        let ita = Ita::twisted(move |mut claims| {
            change(&mut claims);
            claims
        });
        let refused = ita.await.appraise(&Connection::new()).await;
        let expected = match name.contains("future") {
            true => AppraisalError::ResultExpired,
            false => AppraisalError::BadResult,
        };
        assert_eq!(refused.unwrap_err(), expected, "{name}");
    }
}

/// Claim of the token and its value; claim of the result and its value.
#[tokio::test]
async fn each_claim_about_the_platform_is_appraised() {
    let cases = json!([
        ["/tdx/attester_tcb_status", "SWHardeningNeeded", "hardware", 32],
        ["/tdx/attester_tcb_status", "OutOfDate", "hardware", 32],
        ["/tdx/attester_tcb_status", "Revoked", "hardware", 96],
        ["/tdx/attester_tcb_status", "uptodate", "hardware", 97],
        ["/tdx/attester_tcb_status", null, "hardware", 97],
        ["/tdx/tdx_is_debuggable", true, "configuration", 96],
        ["/tdx/tdx_is_debuggable", null, "configuration", 96],
        ["/tdx/tdx_is_debuggable", "false", "runtime-opaque", 96],
        ["/tdx/dbgstat", "enabled", "runtime-opaque", 96],
        ["/policy_ids_matched", null, "executables", 96],
        ["/policy_ids_matched", [{ "id": "other" }], "executables", 96],
        ["/policy_ids_unmatched", [{ "id": POLICY }], "executables", 96],
    ]);
    for case in cases.as_array().unwrap() {
        let (name, value) = (case[0].as_str().unwrap().to_owned(), case[1].clone());
        let ita = Ita::twisted(move |mut claims| {
            *claims.pointer_mut(&name).unwrap() = value.clone();
            claims
        });
        let appraised = ita.await.appraise(&Connection::new()).await.unwrap();
        let part = appraised.ear().submod("tdx").unwrap();
        let mut categories = Category::ALL.into_iter();
        let category = categories.find(|category| case[2] == category.name());
        let value = part.vector().get(category.unwrap()).value();
        assert_eq!(Value::from(value), case[3], "{case}");
        assert_ne!(appraised.ear().status(), Tier::Affirming, "{case}");
    }
}

/// No claim of the tokens that the tests know is about migration. The quote says it, and whoever appraises reads it.
#[tokio::test]
async fn a_td_that_may_be_moved_is_contraindicated_though_the_service_affirms() {
    let ita = Ita::faithful().await;
    let connection = Connection::new();
    let mut quote = quote(&connection);
    let verifier = ita.verifier_of(ita.service().with_policy(POLICY));
    for (attributes, tier) in [
        (1_u64 << 28, Tier::Affirming),
        (1 << 29, Tier::Contraindicated),
    ] {
        quote[48 + 120..48 + 128].copy_from_slice(&attributes.to_le_bytes());
        let appraised = appraise(&verifier, &connection, &quote).await;
        assert_eq!(appraised.unwrap().ear().status(), tier, "{attributes:#x}");
    }
}

#[tokio::test]
async fn without_policy_nothing_vouches_for_the_software() {
    let ita = Ita::faithful().await;
    let connection = Connection::new();
    let verifier = ita.verifier_of(ita.service());
    let appraised = appraise(&verifier, &connection, &quote(&connection)).await;
    assert_eq!(appraised.unwrap().ear().status(), Tier::Warning);
    assert_eq!(ita.last_request()["policy_must_match"], false);
}
