//! What stands in for a verification service, its signing keys and its peers, on loopback and without real Evidence.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::exhaustive_structs,
    reason = "a test fails by panicking, and this is part of the tests"
)]

mod connection;
mod script;
mod service;
mod signer;
mod trustee;

use std::path::PathBuf;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::QuoteToSign;
use atls_formats::dcap::Report;
use atls_formats::dcap::SignatureData;
use atls_formats::dcap::TdReport;

pub use connection::Connection;
pub use connection::identity;
pub use connection::identity_of;
pub use script::Script;
pub use service::Loopback;
pub use signer::Signer;
pub use trustee::trustee;
pub use trustee::trustee_with;

/// Seconds since the epoch.
pub fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// The algorithms of the provider that everything here uses.
pub fn supported() -> rustls::crypto::WebPkiSupportedAlgorithms {
    rustls::crypto::ring::default_provider().signature_verification_algorithms
}

/// FIPS 180-4.
pub fn sha512(bytes: &[u8]) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, bytes);
    digest.as_ref().to_vec()
}

/// A TDX quote of version 4 with this report data, and a signature that nobody here verifies.
pub fn td_quote(report_data: &[u8]) -> Vec<u8> {
    let report = TdReport {
        tee_tcb_svn: [0; 16],
        mrseam: [0; 48].into(),
        mrsignerseam: [0; 48].into(),
        seam_attributes: 0,
        td_attributes: 0,
        xfam: 0,
        mrtd: [0; 48].into(),
        mrconfigid: [0; 48].into(),
        mrowner: [0; 48].into(),
        mrownerconfig: [0; 48].into(),
        rtmr: [[0; 48].into(); 4],
        report_data: report_data.try_into().unwrap(),
        td15: None,
        td15_extended: None,
    };
    let data = SignatureData {
        signature: &[0; 64],
        attestation_key: &[0; 64],
        qe_report: &[0; 384],
        qe_signature: &[0; 64],
        qe_authentication: &[0; 32],
        chain: &[vec![1], vec![2], vec![3]],
    };
    let quote = QuoteToSign::over(&Report::Td(report)).unwrap();
    quote.with_signature(&data).unwrap()
}

/// A SEV-SNP report of version 3 with this report data, of a guest that nobody may look into, and a signature that nobody here
/// verifies.
pub fn snp_report(report_data: &[u8]) -> Vec<u8> {
    let mut report = vec![0; 1184];
    report[0] = 3;
    report[0x0a] = 3;
    report[0x34] = 1;
    report[0x50..0x90].copy_from_slice(report_data);
    report[0x188..0x18b].copy_from_slice(&[0x19, 1, 1]);
    report
}

/// Genuine samples beside the project, unless `ATLS_VECTORS` says where; none where the folder is absent and nobody
/// requires it.
pub fn vectors() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let named = std::env::var_os("ATLS_VECTORS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(beside));
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("ATLS_REQUIRE_VECTORS").is_some();
    assert!(!required, "no vectors at {}", folder.display());
    println!("skipped: no vectors at {}", folder.display());
    None
}
