//! CCA tokens against their verifier: good, altered, recombined, replayed, under other keys and policies.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod binding;
mod form;
mod good;
mod policy;
mod setting;
mod signatures;
