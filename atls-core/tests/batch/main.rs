//! Evidence that many connections share, in both roles, and every proof that is refused.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod appraised;
mod connections;
mod made;
mod protocol_page;
mod refused;
