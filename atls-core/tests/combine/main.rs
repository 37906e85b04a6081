//! Verifiers made of verifiers: results used again, verifiers in place of others, verifiers that must agree.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod all_agree;
mod attesters;
mod cached;
mod clocks;
mod failover;
mod keys;
mod scripted;
