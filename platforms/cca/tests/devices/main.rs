//! PSA tokens against their verifier, the simulator's among them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod claims;
mod setting;
mod tokens;
