//! An attestation that travels to a service behind, and everybody who would forge, steal or stretch one.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod cose;
mod envelope;
mod handed_on;
mod hop;
mod jose;
mod refused;
mod saying;
mod sizes;
mod smuggled;
mod stated;
mod travel;
