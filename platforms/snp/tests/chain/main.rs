//! Forged platforms: each rule about certificates, revocation lists and signatures, with the change that breaks it.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod certificates;
mod changes;
mod report;
mod revocation;
mod vek;
