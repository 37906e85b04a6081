//! Both halves over a whole connection: a forged device behind the real attester, and the real verifier under its root.
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

mod connections;
mod evidence;
mod halves;
