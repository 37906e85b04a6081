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

use atls_core::MediaType;
use atls_core::MediaTypeError;

pub use attester::SimAttester;
pub use attester::SimError;
pub use token::IMPLEMENTATION_ID;
pub use token::Lifecycle;
pub use token::SimClaims;
pub use token::SoftwareComponent;
pub use verifier::SimVerifier;
pub use verifier::TrustAnchor;

/// `application/eat+cwt; eat_profile="tag:psacertified.org,2023:psa#tfm"` (RFC 9783 §9, RFC 9782).
///
/// # Errors
/// None: the text is a media type.
fn media_type() -> Result<MediaType, MediaTypeError> {
    MediaType::parse("application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"")
}

/// How the binder is carried: `eat_nonce` takes 32, 48 or 64 octets, so it is carried verbatim. Used by both halves.
fn challenge(bound: &atls_core::Bound) -> &[u8] {
    bound.as_bytes()
}
