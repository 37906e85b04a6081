//! Arm attestation tokens: PSA (RFC 9783), and CCA, whose two tokens have claims of the same numbers.
//!
//! Bytes go in, claims come out, and a [`TokenError`] names the part that is wrong. Tokens are written too, for simulators and tests.
//! **No signature is verified here**, and no policy is applied: alone, these claims prove nothing.

mod cca;
mod claims;
mod component;
mod device;
mod ec_key;
mod ecdsa;
mod error;
mod legacy;
mod lifecycle;
mod numbers;
mod profile;
mod simulated;
mod software;
mod token;
mod token_writer;

use atls_core::Bound;
use atls_core::expected::ExpectedValue;

pub use cca::CCA_TOKEN;
pub use cca::CcaPlatform;
pub use cca::CcaProfile;
pub use cca::CcaRealm;
pub use cca::CcaToken;
pub use cca::KeyHash;
pub use cca::RealmKey;
pub use cca::realm_challenge;
pub use claims::Claims;
pub use component::Component;
pub use device::PsaDevice;
pub use ec_key::EcKey;
pub use ecdsa::Ecdsa;
pub use error::TokenError;
pub use lifecycle::Lifecycle;
pub use profile::Profile;
pub use simulated::SIMULATED_IMPLEMENTATION_ID;
pub use software::SoftwareComponent;
pub use token::SignedToken;
pub use token_writer::ClaimsToSign;
pub use token_writer::TokenToSign;

/// The value that `eat_nonce` of a PSA token carries for a connection: the bound value itself, because the claim takes 32 and 48
/// bytes.
pub fn eat_nonce(bound: &Bound) -> ExpectedValue {
    bound.verbatim()
}
