//! CoRIMs: genuine ones, forged ones, and refusals.
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

mod attest_keys;
mod documents;
mod ends;
mod genuine;
mod measurements;
mod places;
mod refused;
mod signed;
mod table;
