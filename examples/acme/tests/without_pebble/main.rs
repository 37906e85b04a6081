//! What needs no ACME server: certificates as they come, when they are ordered, and servers that answer wrongly.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

mod received;
mod renewal;
mod suggested;
mod wrong_servers;
