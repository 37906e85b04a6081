//! The seeds of the fuzz targets: forged, and still what the targets expect.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::CollateralFromPeer;
use atls_tdx::QuoteError;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedLog;
use atls_tdx::testing::ForgedPlatform;
use support::NOW;
use support::REPORT_DATA;
use support::at;
use support::extended;
use support::policy;
use support::ready;
use support::td15;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/corpus/{target}"))
}

#[test]
fn quotes_have_the_layout() {
    let report = ForgedPlatform::new(NOW).unwrap().td_report();
    let verifier = TdxVerifier::new(
        Arc::new(Live::fixed(policy(&report)).unwrap()),
        Arc::new(CollateralFromPeer::new()),
    );
    for name in ["version-4", "version-5", "version-5-extended"] {
        let quote = fs::read(folder("quote").join(name)).unwrap();
        let judged = ready(verifier.appraise_quote(&quote, &[], at(NOW)));
        assert_eq!(judged.map(drop), Err(QuoteError::BadSignature), "{name}");
    }
}

#[test]
fn collateral_parses() {
    for name in ["sgx", "tdx"] {
        let octets = fs::read(folder("collateral").join(name)).unwrap();
        assert!(Collateral::decode(&octets).is_ok(), "{name}");
    }
}

#[test]
fn logs_are_what_the_forger_makes() {
    let octets = fs::read(folder("event_log").join("log")).unwrap();
    assert_eq!(octets, log().octets());
}

#[test]
#[ignore = "writes the seeds anew"]
fn make_seeds() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let quote = |report| platform.tdx_quote(report, &REPORT_DATA).unwrap();
    let collateral = |tee| platform.collateral(tee).unwrap().encode().unwrap();
    let sgx = platform.sgx_report();
    for (target, name, octets) in [
        ("quote", "version-4", quote(&report)),
        ("quote", "version-5", quote(&td15(&report))),
        ("quote", "version-5-extended", quote(&extended(&report))),
        (
            "quote",
            "sgx",
            platform.sgx_quote(&sgx, &REPORT_DATA).unwrap(),
        ),
        ("collateral", "sgx", collateral(Tee::Sgx)),
        ("collateral", "tdx", collateral(Tee::Tdx)),
        ("event_log", "log", log().octets().to_vec()),
        ("altered", "one-octet", vec![0, 100, 1]),
        // A zero octet for the last line feed of the chain was once taken.
        ("altered", "last-octet", vec![0x0e, 0x5a, 0x0a]),
    ] {
        fs::create_dir_all(folder(target)).unwrap();
        fs::write(folder(target).join(name), octets).unwrap();
    }
}

fn log() -> ForgedLog {
    ForgedLog::new()
        .measured(0, 0x8000_0001, b"variable")
        .event(1, 0x8000_0003, &[7; 48], b"describes a loaded image")
        .measured(2, 13, b"kernel_cmdline: quiet")
}
