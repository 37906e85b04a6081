//! Quotes of TPMs that others made: `swtpm`, and the TPMs of Azure's confidential VMs.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod azure;
mod quotes;
mod samples;
