//! The output of every attester before every verifier: the table of docs/verifiers/matrix.md.
//!
//! `attesters` has the rows, `verifiers` the columns. A difference from the page fails the test, which prints the measured table.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod attesters;
mod device;
mod machines;
mod trustee;
mod verifiers;

use std::path::Path;

use atls_formats::snp::SnpEvidence;
use atls_remote::EvidenceFormat;
use atls_snp::CertificateKind;
use atls_trustee::SnpReport;
use serde_json::json;
use test_support::Connection;

use machines::Machines;

/// Seconds since the epoch.
const NOW: u64 = 1_800_000_000;

#[tokio::test]
async fn the_table_in_the_docs_is_the_measured_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verifiers/matrix.md");
    let page = std::fs::read_to_string(path).unwrap();
    let written: Vec<_> = page.lines().filter(|line| line.starts_with('|')).collect();
    let measured = table().await;
    assert!(
        written == measured.lines().collect::<Vec<_>>(),
        "docs/verifiers/matrix.md has another table than:\n{measured}"
    );
}

/// Trustee reads one certificate in DER, Veraison all of them in PEM.
#[tokio::test]
async fn certificates_of_each_host_reach_each_service_in_its_encoding() {
    let machines = Machines::new().await;
    let mut chains = 0;
    for (name, attester) in attesters::all(&machines) {
        let evidence = Connection::new().token(&*attester).await;
        let Ok(read) = SnpEvidence::decode(&evidence) else {
            continue;
        };
        let reading = SnpReport::new().read(&evidence).unwrap();
        let chain = &reading.content()["cert_chain"];
        let (kind, key) = match name.contains("VLEK signs") {
            true => (CertificateKind::Vlek, "VLEK"),
            false => (CertificateKind::Vcek, "VCEK"),
        };
        let Some(der) = read.certificates().get(kind) else {
            assert!(chain.is_null(), "{name}");
            continue;
        };
        assert_eq!(*chain, json!([{ "cert_type": key, "data": der }]), "{name}");
        assert_eq!(der[0], 0x30, "{name}");
        let text = String::from_utf8_lossy(&evidence);
        assert!(text.contains("-----BEGIN CERTIFICATE-----"), "{name}");
        chains += 1;
    }
    assert!(chains >= 4, "{chains}");
}

async fn table() -> String {
    let machines = Machines::new().await;
    let columns = verifiers::all(&machines);
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let mut table = format!(
        "| attester | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for (name, attester) in attesters::all(&machines) {
        let mut cells = Vec::new();
        for (_, verifier) in verifiers::all(&machines) {
            let connection = Connection::new();
            let cmw = attester.attest(connection.to_attest()).await.unwrap();
            let items = cmw.items();
            let media_type = items[0].media_type().unwrap();
            let cell = verifier.cell(&media_type, items[0].value(), connection.bound());
            cells.push(cell.await);
        }
        table.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    table
}
