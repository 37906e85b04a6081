//! Forged VMs: accepted whole, and refused with any link of the chain broken.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod accepted;
mod chain;
mod form;
mod policy;
mod setting;
