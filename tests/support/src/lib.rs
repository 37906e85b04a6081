//! Helpers for the tests of several crates: connections in memory, recorded samples, forged Evidence and CoRIMs, logs.
//!
//! All of it is deterministic but for keys, needs neither network nor clock, and panics where something fails.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::arithmetic_side_effects,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and this is part of the tests"
)]

mod connection;
pub mod corim;
mod evidence;
mod log;
mod observed_session;
mod script;
mod vectors;

use std::future::Future;
use std::path::Path;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;

pub use connection::Connection;
pub use connection::identity;
pub use connection::identity_of;
pub use evidence::snp_report;
pub use evidence::td_quote;
pub use log::Log;
pub use log::listen;
pub use observed_session::ObservedSession;
pub use script::Script;
pub use vectors::vectors;

/// Seconds since the epoch.
pub fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

/// The output of a future that waits for nothing.
///
/// # Panics
/// The future waits.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// The path of a folder below this one, such as `CARGO_TARGET_TMPDIR`, for one test. It is absent afterwards.
pub fn absent_folder(below: &str, test: &str) -> PathBuf {
    let folder = Path::new(below).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    let _ = std::fs::remove_file(&folder);
    folder
}

/// The signature algorithms of *ring*, which everything here uses.
pub fn supported() -> WebPkiSupportedAlgorithms {
    rustls::crypto::ring::default_provider().signature_verification_algorithms
}

/// FIPS 180-4.
pub fn sha512(bytes: &[u8]) -> Vec<u8> {
    let digest = ring::digest::digest(&ring::digest::SHA512, bytes);
    digest.as_ref().to_vec()
}

/// The bytes that these hexadecimal digits stand for.
pub fn hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2));
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
