//! A forged platform through the very same verifier: every rule, met and broken.
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

mod allowed;
mod enclave;
mod platform;
mod tcb;
mod td;
