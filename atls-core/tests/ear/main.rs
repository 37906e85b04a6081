//! Results as verifiers sign them: recorded from real services, and forged to try each rule.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod fixtures;
mod nonce;
mod parts;
mod recorded;
mod signature;
