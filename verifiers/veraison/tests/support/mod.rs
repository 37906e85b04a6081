//! A Veraison service in this process, and Evidence that is bound to a connection.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file uses a part"
)]

mod connection;
mod fake;

use std::path::PathBuf;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use rustls::crypto::CryptoProvider;

pub use connection::Connection;
pub use fake::Fake;
pub use fake::Step;
pub use fake::request_step;

pub fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

pub const NOW: u64 = 1_800_000_000;

pub fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW))
}

/// Genuine samples, which lie beside the project.
pub fn vectors() -> Option<PathBuf> {
    let named = std::env::var_os("ATLS_VECTORS").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = named.unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("ATLS_REQUIRE_VECTORS").is_some();
    assert!(!required, "no vectors at {}", folder.display());
    println!("skipped: no vectors at {}", folder.display());
    None
}
