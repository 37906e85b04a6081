//! From a valid authenticator to a decision: binding, keys, parameters, verifiers, policy.
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

mod binding;
mod ends;
mod evidence;
mod parameters;
mod policy;
