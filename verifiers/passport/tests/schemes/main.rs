//! The demands of a scheme on a result, whatever its issuer affirms.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod comparison;
mod debugging;
mod office;
