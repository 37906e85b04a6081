//! Servers that break the protocol, against our client: each is refused before a first byte of HTTP, with the right reason.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod against;
mod altered;
mod client_evidence;
mod frames;
mod mutual;
mod verdicts;
