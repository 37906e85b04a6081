//! A simulated platform: genuine PSA attestation tokens (RFC 9783) under a key that lives in this process.
//!
//! **It proves nothing** about the machine it runs on. It makes and verifies standard, signed Evidence, so that everything above runs
//! on any laptop exactly as it does on a device; only the trust is missing. A program has to name it, its results have
//! [`Origin::Simulated`](atls_core::Origin::Simulated), and every default policy refuses them.
//!
//! The value of a connection goes into a [`SimAttester`], and a token comes out. The token goes into a [`SimVerifier`]; a result comes
//! out, or an [`AppraisalError`](atls_core::AppraisalError) where the token is malformed, unknown, or of another connection.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::{RelyingParty, StandardPolicy};
//! use atls_sim::{SimAttester, SimVerifier};
//!
//! let attester = SimAttester::generate()?;
//! let verifier = SimVerifier::new(attester.trust_anchor());
//! let relying_party = RelyingParty::builder()
//!     .verifier(Arc::new(verifier))
//!     .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
//!     .build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [Getting started] builds a server and a client on it in ten minutes.
//!
#![doc = concat!("[Getting started]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/getting-started.md")]
#![forbid(unsafe_code)]

mod attester;
mod claims;
mod error;
mod trust_anchor;
mod verifier;

pub use atls_formats::psa::Lifecycle;
pub use atls_formats::psa::Profile;
pub use atls_formats::psa::SIMULATED_IMPLEMENTATION_ID as IMPLEMENTATION_ID;
pub use atls_formats::psa::SoftwareComponent;
pub use attester::SimAttester;
pub use claims::SimClaims;
pub use error::SimError;
pub use trust_anchor::TrustAnchor;
pub use verifier::SimVerifier;
