//! Nitro documents: each rule of the form, with a case that breaks it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod documents;
mod envelope;
mod fields;
