//! The claims of a token.

use atls_core::AppraisalError;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use serde_json::Value;
use serde_json::json;
use test_support::Connection;

use crate::maa::Kind;
use crate::maa::Maa;
use crate::maa::NOW;

#[tokio::test]
async fn each_claim_about_the_subject_of_a_token_is_checked() {
    let cases: Vec<(&str, fn(&mut Value, Kind))> = vec![
        ("other report data", |claims, kind| {
            claims[kind.report_data()] = "00".repeat(64).into();
        }),
        ("half of the report data", |claims, kind| {
            let text = claims[kind.report_data()].as_str().unwrap()[..64].to_owned();
            claims[kind.report_data()] = text.into();
        }),
        ("no report data", |claims, kind| {
            remove(claims, kind.report_data())
        }),
        ("echoed instead of reported", |claims, kind| {
            let moved = claims[kind.report_data()].take();
            claims["nonce"] = moved.clone();
            claims["x-ms-runtime"] = json!({ "client-payload": { "nonce": moved } });
        }),
        ("another kind of guest", |claims, _| {
            claims["x-ms-attestation-type"] = "azurevm".into();
        }),
        ("no kind of guest", |claims, _| {
            remove(claims, "x-ms-attestation-type")
        }),
        ("another issuer", |claims, _| {
            claims["iss"] = "https://attacker.attest.azure.net".into();
        }),
        ("no issuer", |claims, _| remove(claims, "iss")),
        ("no end", |claims, _| remove(claims, "exp")),
        ("no beginning", |claims, _| remove(claims, "iat")),
        ("a beginning in the future", |claims, _| {
            claims["iat"] = (NOW + 61).into();
        }),
    ];
    for (name, change) in cases {
        for kind in [Kind::Snp, Kind::Tdx] {
            let maa = Maa::twisted(move |claims| change(claims, kind)).await;
            let refused = maa.appraise(kind, &Connection::new()).await;
            let expected = match name.contains("future") {
                true => AppraisalError::ResultExpired,
                false => AppraisalError::BadResult,
            };
            assert_eq!(refused.unwrap_err(), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_token_about_a_report_is_none_about_a_quote() {
    let connection = Connection::new();
    for (asked, answered) in [(Kind::Snp, Kind::Tdx), (Kind::Tdx, Kind::Snp)] {
        let challenge = connection.bound().sha512().bytes().to_vec();
        let maa =
            Maa::twisted(move |claims| *claims = answered.claims(&claims["iss"], &challenge)).await;
        let refused = maa.appraise(asked, &connection).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
    }
}

/// Kind of guest, claim of the token and its value; claim of the result and its value.
#[tokio::test]
async fn each_claim_about_the_guest_is_appraised() {
    let cases = json!([
        [
            "snp",
            "x-ms-compliance-status",
            "azure-compliant-uvm",
            "hardware",
            2
        ],
        [
            "snp",
            "x-ms-compliance-status",
            "azure-signed",
            "hardware",
            97
        ],
        ["snp", "x-ms-compliance-status", null, "hardware", 97],
        ["tdx", "x-ms-compliance-status", null, "hardware", 97],
        ["tdx", "attester_tcb_status", "OutOfDate", "hardware", 32],
        ["tdx", "attester_tcb_status", "Revoked", "hardware", 96],
        ["tdx", "attester_tcb_status", null, "hardware", 97],
        [
            "snp",
            "x-ms-sevsnpvm-is-debuggable",
            true,
            "configuration",
            96
        ],
        [
            "snp",
            "x-ms-sevsnpvm-is-debuggable",
            null,
            "runtime-opaque",
            96
        ],
        [
            "snp",
            "x-ms-sevsnpvm-migration-allowed",
            true,
            "configuration",
            96
        ],
        [
            "snp",
            "x-ms-sevsnpvm-migration-allowed",
            null,
            "configuration",
            96
        ],
        ["snp", "x-ms-sevsnpvm-vmpl", 1, "configuration", 96],
        ["snp", "x-ms-sevsnpvm-vmpl", null, "configuration", 96],
        ["tdx", "tdx_td_attributes_debug", true, "configuration", 96],
        ["tdx", "tdx_td_attributes_debug", null, "runtime-opaque", 96],
        ["tdx", "dbgstat", "enabled", "configuration", 96],
        ["tdx", "dbgstat", null, "configuration", 96],
        [
            "snp",
            "x-ms-sevsnpvm-launchmeasurement",
            "06".repeat(48),
            "executables",
            33
        ],
        ["tdx", "tdx_mrtd", null, "executables", 33],
    ]);
    for case in cases.as_array().unwrap() {
        let kind = match case[0] == "snp" {
            true => Kind::Snp,
            false => Kind::Tdx,
        };
        let (name, value) = (case[1].as_str().unwrap().to_owned(), case[2].clone());
        let maa = Maa::twisted(move |claims| claims[&name] = value.clone()).await;
        let appraised = maa.appraise(kind, &Connection::new()).await.unwrap();
        let (_, part) = appraised.ear().submods().next().unwrap();
        let mut categories = Category::ALL.into_iter();
        let category = categories.find(|category| case[3] == category.name());
        let value = part.vector().get(category.unwrap()).value();
        assert_eq!(Value::from(value), case[4], "{case}");
        let affirmed = appraised.ear().status() == Tier::Affirming;
        assert_eq!(affirmed, value == 2, "{case}");
    }
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}
