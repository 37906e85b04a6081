//! The verifier against a stand-in for `restful-as` on loopback, which reads requests and signs results as the real one does.
//! `src/recorded.rs` has recorded results of the real one.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod claims;
mod results;
mod trustee;
