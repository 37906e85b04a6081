//! The real Veraison, started for a test, and endorsements of simulated devices for it.
//!
//! The services are those of [`veraison/services`](https://github.com/veraison/services), release v0.0.2608, with the built-in
//! schemes: `vts-service`, `verification-service` and `provisioning-service` in the folder that `ATLS_VERAISON` names, such as
//! the one that `tests/interop/install` prints. Where it names none, tests say that they were skipped, or fail if
//! `ATLS_REQUIRE_INTEROP` is set.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking, and this is part of the tests"
)]

mod endorsement;
mod process;
mod signer;
mod veraison;

pub use endorsement::PROFILE;
pub use endorsement::corim_of;
pub use veraison::Veraison;
pub use veraison::http;
pub use veraison::provision;

/// The prose, compiled.
#[cfg(doctest)]
mod prose {
    #[doc = include_str!("../../../docs/verifiers/veraison.md")]
    struct Veraison;
}
