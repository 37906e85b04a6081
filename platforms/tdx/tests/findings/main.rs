//! The findings that an operator reads: every check with the value that was seen and those that are allowed, how far behind a platform
//! is, and the refusals to come when Intel's early issue becomes the standard one.
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

mod checks;
mod lines;
mod promotion;
mod tcb;
