//! Passports, good and bad, over whole credentials.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod dialects;
mod freshness;
mod issuer;
mod office;
mod reusable;
