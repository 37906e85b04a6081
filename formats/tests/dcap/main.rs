//! Quotes of DCAP: written and read again, cut, altered.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod quote;
mod quotes;
mod seeds;
