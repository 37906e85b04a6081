//! Claims of CCA platforms, CCA realms and PSA devices: what is written is read, and each rule of the form has a case that breaks it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod arbitrary;
mod claims;
mod keys;
mod makers;
mod tokens;
