//! Keys and reference values out of CoRIMs of Arm's profiles.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod accepted;
mod makers;
mod refused;
