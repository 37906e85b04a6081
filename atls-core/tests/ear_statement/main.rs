//! Results that a service signs itself, read again by those that they are stated to.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod read;
mod signed;
mod signers;
