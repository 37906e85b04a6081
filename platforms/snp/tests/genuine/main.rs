//! Reports that AMD's keys signed: affirmed at their time; refused at any other time, altered, or under another product.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod reports;
mod samples;
mod settings;
