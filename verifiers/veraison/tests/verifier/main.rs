//! The verifier: the Evidence that it refuses before it sends anything, and the results that it takes.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod evidence;
mod fixtures;
mod outages;
mod results;
