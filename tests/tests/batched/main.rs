//! Whole connections whose peers share Evidence: over real sockets, in both roles, beside peers that take none.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod alone;
mod devices;
mod leaving;
mod shared;
