//! A simulated platform: real PSA attestation tokens (RFC 9783) under a key that lives in this process.
//!
//! **It proves nothing** about the machine it runs on. It makes and verifies genuine, standard, signed Evidence, so that
//! everything above runs on any laptop exactly as it does on a device; only the trust is missing. It must be named to
//! be used, its results have [`Origin::Simulated`](atls_core::Origin::Simulated), and every default policy refuses them.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::{RelyingParty, StandardPolicy};
//! use atls_sim::{SimAttester, SimVerifier};
//!
//! let attester = SimAttester::generate()?;
//! let verifier = SimVerifier::trusting(attester.trust_anchor());
//! let relying_party = RelyingParty::builder()
//!     .verifier(Arc::new(verifier))
//!     .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
//!     .build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod attester;
mod token;
mod verifier;

pub use attester::SimAttester;
pub use attester::SimError;
pub use token::IMPLEMENTATION_ID;
pub use token::Lifecycle;
pub use token::Profile;
pub use token::SimClaims;
pub use token::SoftwareComponent;
pub use verifier::SimVerifier;
pub use verifier::TrustAnchor;

/// How the binder is carried: `eat_nonce` takes 32, 48 or 64 bytes, so it is carried verbatim. Used by both halves.
fn challenge(bound: &atls_core::Bound) -> atls_core::ExpectedValue {
    bound.verbatim()
}
