//! Collateral at hand, from the peer and fetched; and its effect on appraisals.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod at_hand;
mod clocks;
mod fetched;
mod form;
mod from_peer;
mod kept;
mod service;
