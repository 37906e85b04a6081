//! Keys as services publish them, and sources of keys that change.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod keys;
mod sets;
mod sources;
