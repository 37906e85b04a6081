//! AMD's key distribution service over a fake HTTP client: addresses, answers, and the verification of answers.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod amd;
mod failing;
mod fetched;
mod kept;
