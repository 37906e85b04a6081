//! RFC 9261 over live connections: round trips, and every reject rule under a correct MAC.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod certificate;
mod connection;
mod handshake;
mod request;
mod round_trip;
mod signature;
mod transcript;
