//! Stand-ins for a verification service: a signer, and servers on loopback.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::exhaustive_structs,
    reason = "a test fails by panicking, and this is part of the tests"
)]

mod service;
mod signer;
mod trustee;

pub use service::Loopback;
pub use signer::Signer;
pub use trustee::trustee;
pub use trustee::trustee_with;
