//! Whole exchanges: the real attester over a fake kernel, the CMW, the real verifier, and the policy of the relying party.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod appraisal;
mod devices;
mod party;
