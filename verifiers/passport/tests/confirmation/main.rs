//! Passports that name the key of their holder: RFC 7800 and RFC 8747.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod claims;
mod holder;
mod office;
