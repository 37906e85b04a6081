//! Files that are right, and what is said of those that are wrong.
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

mod ambiguous;
mod levels;
mod limits;
mod meaning;
mod objections;
mod places;
mod refused;
