//! Keys that an authority certified, as clouds do it, over a TPM in software that has template and certificate where clouds put them. Where
//! there is no `swtpm`, that is said; `ATLS_REQUIRE_SWTPM=1` makes it a failure.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod cloud;
mod machine;
mod trust;
