//! Against a stand-in on loopback that follows the published API, **not against the live service**.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod claims;
mod maa;
mod requests;
mod tokens;
