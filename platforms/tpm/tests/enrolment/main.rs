//! Enrolment of a TPM in software, whose endorsement key an authority of its own certifies. Where there is no `swtpm`, that is said;
//! `ATLS_REQUIRE_SWTPM=1` makes it a failure.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod certificates;
mod credentials;
mod helpers;
mod maker;
