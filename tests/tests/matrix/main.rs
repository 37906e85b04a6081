//! Every attester's real output before every verifier: the table of docs/verifiers/matrix.md.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod attesters;
mod verifiers;

use std::path::Path;

use atls_formats::snp::SnpEvidence;
use atls_remote::EvidenceFormat;
use atls_trustee::SnpReport;
use serde_json::json;
use test_support::Connection;

use attesters::Machines;

/// Seconds since the epoch.
const NOW: u64 = 1_800_000_000;

#[tokio::test]
async fn the_table_in_the_docs_is_the_one_that_is_measured() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verifiers/matrix.md");
    let page = std::fs::read_to_string(path).unwrap();
    let written: Vec<_> = page.lines().filter(|line| line.starts_with('|')).collect();
    let measured = table().await;
    let differing = written != measured.lines().collect::<Vec<_>>();
    assert!(
        !differing,
        "docs/verifiers/matrix.md has another table than:\n{measured}"
    );
}

/// Trustee reads one certificate in DER, Veraison all of them in PEM.
#[test]
fn certificates_of_each_host_reach_each_service_in_its_encoding() {
    let machines = Machines::new();
    let mut chains = 0;
    for (name, mut attester) in machines.attesters() {
        let connection = Connection::new();
        let cmw = attester.attest(connection.to_attest()).unwrap();
        let evidence = cmw.items()[0].value().to_vec();
        let Ok(read) = SnpEvidence::decode(&evidence) else {
            continue;
        };
        let chain = &SnpReport::new().read(&evidence).unwrap().content()["cert_chain"].clone();
        let key = if name.contains("VLEK signs") {
            "VLEK"
        } else {
            "VCEK"
        };
        let kind = match key {
            "VLEK" => atls_snp::CertificateKind::Vlek,
            _ => atls_snp::CertificateKind::Vcek,
        };
        match read.certificates().get(kind) {
            Some(der) => {
                assert_eq!(*chain, json!([{ "cert_type": key, "data": der }]), "{name}");
                assert_eq!(der[0], 0x30, "{name}");
                let text = String::from_utf8_lossy(&evidence);
                assert!(text.contains("-----BEGIN CERTIFICATE-----"), "{name}");
                chains += 1;
            }
            None => assert!(chain.is_null(), "{name}"),
        }
    }
    assert!(chains >= 4, "{chains}");
}

async fn table() -> String {
    let machines = Machines::new();
    let names: Vec<_> = machines.verifiers().iter().map(|(name, _)| *name).collect();
    let mut table = format!(
        "| attester | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for (name, mut attester) in machines.attesters() {
        let mut cells = Vec::new();
        for (_, verifier) in machines.verifiers() {
            let connection = Connection::new();
            let cmw = attester.attest(connection.to_attest()).unwrap();
            let items = cmw.items();
            let item = &items[0];
            let media_type = item.media_type().unwrap();
            cells.push(
                verifier
                    .cell(&media_type, item.value(), connection.bound())
                    .await,
            );
        }
        table.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    table
}
