//! No result outlives the collateral that it rests on, and bad collateral does not stay.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod ends;
mod pieces;
mod rejected;
