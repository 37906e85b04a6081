//! Tokens of reference firmware under published keys, and what the real Veraison said of two of them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod firmware;
mod refused;
mod samples;
mod veraison;
