//! Hybrid key exchange, ML-DSA leaves, and what an end knows of its TLS connection.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod certificate;
mod groups;
mod leaves;
mod limits;
