//! For tests here and elsewhere: [`ForgedCca`] and [`ForgedPsa`] sign any token, under keys of their own.
//!
//! Their tokens go through the very same attester and verifier as those of a realm or device.
//!
//! ```
//! use atls_cca::testing::ForgedCca;
//!
//! let forged = ForgedCca::new();
//! let verifier = forged.verifier(&rustls::crypto::ring::default_provider());
//! let attester = forged.attester();
//! # let _ = (verifier, attester);
//! ```
#![allow(
    clippy::unwrap_used,
    reason = "support for tests, which fail by panicking"
)]

mod cca;
mod key;
mod psa;

pub use cca::ForgedCca;
pub use key::ForgedKey;
pub use psa::ForgedPsa;
