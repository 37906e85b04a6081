//! An attestation that travels to a service behind, and everybody who would forge, steal or stretch one.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod hop;
mod refused;
mod travel;
