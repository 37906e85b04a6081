//! Forged quotes through the real verifier: good, altered, truncated, replayed, under other keys and policies.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod counters;
mod images;
mod keys;
mod logs;
mod results;
mod setting;
mod signed;
