//! The order in which peers attest, and wishes that do not meet: axum and reqwest over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod connections;
mod flights;
mod orders;
mod refused;
mod requests;
