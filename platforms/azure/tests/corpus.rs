//! The seeds of the fuzz target of HCL reports: the target reads them, and an ignored test makes them again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use atls_formats::azure::HardwareReport;
use atls_formats::azure::HclReport;
use end_to_end::azure::ForgedAzure;

#[test]
fn seeds_are_what_the_target_reads() {
    let snp = fs::read(seed("snp")).unwrap();
    let report = HclReport::decode(&snp).unwrap();
    assert!(matches!(report.hardware(), HardwareReport::Snp(_)));
    let tdx = fs::read(seed("tdx")).unwrap();
    let report = HclReport::decode(&tdx).unwrap();
    assert!(matches!(report.hardware(), HardwareReport::Tdx(_)));
}

#[test]
#[ignore = "writes the seeds anew"]
fn seeds_are_made() {
    fs::create_dir_all(seed("")).unwrap();
    fs::write(seed("snp"), ForgedAzure::snp().hcl_report()).unwrap();
    fs::write(seed("tdx"), ForgedAzure::tdx(1_796_000_000).hcl_report()).unwrap();
}

fn seed(name: &str) -> PathBuf {
    let corpus = "../../fuzz/seeds/hcl_report";
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(corpus)
        .join(name)
}
