//! The shape of the sources: the dependencies between crates.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod arrows;
mod profile;
