//! Documents of a forged security module through the real attester and the real verifier: good, altered, truncated,
//! replayed, under other keys, chains and times.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod binding;
mod chain;
mod exchange;
mod setting;
mod times;
