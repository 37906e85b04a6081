//! The value and the content that each format reads: in genuine Evidence if the samples are at hand, and in cut and altered Evidence.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod evidence;
mod genuine;
mod refused;
