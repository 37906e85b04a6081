//! The values that each format finds in Evidence, forged and genuine, before anything is sent.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod cca;
mod found;
mod psa;
mod snp;
