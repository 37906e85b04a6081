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

use atls_tdx::Collateral;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use support::NOW;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../fuzz/seeds/tdx_{target}"))
}

#[test]
fn collateral_parses() {
    for name in ["sgx", "tdx"] {
        let bytes = fs::read(folder("collateral").join(name)).unwrap();
        assert!(Collateral::decode(&bytes).is_ok(), "{name}");
    }
}

#[test]
#[ignore = "writes the seeds anew"]
fn make_seeds() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let collateral = |tee| platform.collateral(tee).unwrap().encode().unwrap();
    for (target, name, bytes) in [
        ("collateral", "sgx", collateral(Tee::Sgx)),
        ("collateral", "tdx", collateral(Tee::Tdx)),
        ("altered", "one-byte", vec![0, 100, 1]),
        // A zero byte for the last line feed of the chain was once taken.
        ("altered", "last-byte", vec![0x0e, 0x5a, 0x0a]),
    ] {
        fs::create_dir_all(folder(target)).unwrap();
        fs::write(folder(target).join(name), bytes).unwrap();
    }
}
