//! A stock reqwest client: every way in which a request could leave the attested path.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod clients;
mod connections;
mod detours;
mod responses;
mod tls;
mod versions;
