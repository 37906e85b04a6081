//! The seeds of the fuzz targets: the targets read them, and an ignored test makes them again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::PathBuf;

use atls_formats::snp::REPORT_LENGTH;
use atls_snp::CertificateKind;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SuppliedCollateral;
use atls_snp::testing::ForgedSnp;

use support::CHALLENGE;

#[test]
fn seeds_are_what_the_targets_read() {
    for product in Product::ALL {
        let read = |target: &str| fs::read(seed(target, product)).unwrap();
        let evidence = SnpEvidence::decode(&read("snp_evidence")).unwrap();
        assert!(evidence.certificates().get(CertificateKind::Ark).is_some());
        assert_eq!(read("snp_report").len(), REPORT_LENGTH);
        let vek = SuppliedCollateral::new().with_certificates(&read("snp_certificates"));
        assert!(vek.is_ok());
    }
}

#[test]
#[ignore = "writes the seeds anew"]
fn seeds_are_made() {
    for product in Product::ALL {
        let platform = ForgedSnp::new(product).unwrap();
        let evidence = platform.evidence(&CHALLENGE);
        let write = |target: &str, bytes: &[u8]| fs::write(seed(target, product), bytes).unwrap();
        write("snp_evidence", &evidence.encode().unwrap());
        write("snp_report", evidence.report());
        write("snp_certificates", &platform.vek_certificate());
    }
}

fn seed(target: &str, product: Product) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target)
        .join(product.name().to_ascii_lowercase())
}
