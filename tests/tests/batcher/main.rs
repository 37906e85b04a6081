//! Who shares a device's Evidence, in which order, and what happens where the device fails or connections go away.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod bench;
mod failures;
mod lifetime;
mod shared;
mod turns;
