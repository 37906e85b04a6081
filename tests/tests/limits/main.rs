//! Slow clients, full servers, shutdown: what is bounded stays bounded, and nobody waits for somebody else.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bounds;
mod listener;
mod pieces;
mod turns;
