//! Simulated Evidence against its verifier: good, altered, truncated, replayed, under other keys.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod appraisal;
mod refused;
mod setting;
