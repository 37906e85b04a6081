//! The answers, fetches and refusals of a cache.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod bounds;
mod clocks;
mod fresh;
mod grace;
mod pieces;
mod renewal;
mod shared;
