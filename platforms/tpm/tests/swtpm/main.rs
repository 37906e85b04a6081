//! The attester over a real TPM in software. Where there is no `swtpm`, that is said; `ATLS_REQUIRE_SWTPM=1` makes it a failure.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod helpers;
mod keys;
mod passwords;
mod requests;
mod waiting;
