//! The claims of a token.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_maa::TdMeasurements;
use serde_json::Value;
use serde_json::json;
use test_support::Connection;

use crate::maa::BOOTED;
use crate::maa::Kind;
use crate::maa::MEASURED;
use crate::maa::Maa;
use crate::maa::NOW;
use crate::maa::appraise;

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
        ["tdx", "tdx_rtmr1", "00".repeat(48), "executables", 33],
        ["tdx", "tdx_rtmr1", null, "executables", 33],
        ["tdx", "tdx_rtmr2", "06".repeat(48), "executables", 33],
        ["tdx", "tdx_rtmr2", "07".repeat(47), "executables", 33],
        ["tdx", "tdx_rtmr0", null, "executables", 2],
        ["tdx", "tdx_rtmr3", "01".repeat(48), "executables", 2],
    ]);
    for case in cases.as_array().unwrap() {
        let kind = match case[0] == "snp" {
            true => Kind::Snp,
            false => Kind::Tdx,
        };
        let (name, value) = (case[1].as_str().unwrap().to_owned(), case[2].clone());
        let maa = Maa::twisted(move |claims| claims[&name] = value.clone()).await;
        let appraised = maa.appraise(kind, &Connection::new()).await.unwrap();
        let mut parts = appraised.ear().submods();
        let (_, part) = parts.find(|(name, _)| *name != "local").unwrap();
        let mut categories = Category::ALL.into_iter();
        let category = categories.find(|category| case[3] == category.name());
        let value = part.vector().get(category.unwrap()).value();
        assert_eq!(Value::from(value), case[4], "{case}");
        let affirmed = appraised.ear().status() == Tier::Affirming;
        assert_eq!(affirmed, value == 2, "{case}");
    }
}

/// A policy that accepts warnings, because of old firmware, must not accept any software.
#[tokio::test]
async fn other_software_than_the_known_is_contraindicated_and_a_warning_where_none_is_known() {
    let maa = Maa::faithful().await;
    let connection = Connection::new();
    let other = [9; 48];
    let td = TdMeasurements::dangerous_mrtd_alone;
    let booted = TdMeasurements::booted(MEASURED, BOOTED[0], BOOTED[1]);
    let (snp, tdx) = (Kind::Snp, Kind::Tdx);
    for (kind, launch, tds, tier) in [
        (snp, vec![], vec![], Tier::Warning),
        (tdx, vec![], vec![], Tier::Warning),
        (snp, vec![other, MEASURED], vec![], Tier::Affirming),
        (snp, vec![other], vec![], Tier::Contraindicated),
        (snp, vec![], vec![td(MEASURED)], Tier::Contraindicated),
        (tdx, vec![], vec![td(other), td(MEASURED)], Tier::Affirming),
        (tdx, vec![], vec![td(other)], Tier::Contraindicated),
        // What firmware boots is not in MRTD.
        (tdx, vec![MEASURED], vec![], Tier::Contraindicated),
        (
            tdx,
            vec![],
            vec![booted.with_rtmr0([8; 48]).with_rtmr3([0; 48])],
            Tier::Affirming,
        ),
        (
            tdx,
            vec![],
            vec![booted.with_rtmr0(other)],
            Tier::Contraindicated,
        ),
        (
            tdx,
            vec![],
            vec![booted.with_rtmr3(other)],
            Tier::Contraindicated,
        ),
    ] {
        let service = launch.iter().fold(maa.service(), |service, known| {
            service.with_launch_measurement(*known)
        });
        let service = tds
            .iter()
            .fold(service, |service, known| service.with_td(*known));
        let verifier = maa.verifier_of(service, Arc::new(maa.signer.keys()));
        let evidence = kind.evidence(&connection);
        let appraised = appraise(&verifier, kind, &connection, &evidence).await;
        let status = appraised.unwrap().ear().status();
        assert_eq!(status, tier, "{kind:?} {launch:?} {tds:?}");
    }
}

/// Tokens have no claim about migration. The quote has, and whoever appraises reads it.
#[tokio::test]
async fn a_td_that_may_be_moved_is_contraindicated_though_the_service_affirms() {
    let maa = Maa::faithful().await;
    let connection = Connection::new();
    let mut quote = Kind::Tdx.evidence(&connection);
    for (attributes, tier) in [
        (1_u64 << 28, Tier::Affirming),
        (1 << 29, Tier::Contraindicated),
    ] {
        quote[48 + 120..48 + 128].copy_from_slice(&attributes.to_le_bytes());
        let appraised = appraise(&maa.verifier(), Kind::Tdx, &connection, &quote).await;
        assert_eq!(appraised.unwrap().ear().status(), tier, "{attributes:#x}");
    }
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}
