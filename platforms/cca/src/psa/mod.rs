//! PSA: a token of a device in, a result out.

mod attester;
mod claims;
pub(crate) mod findings;
mod verifier;

pub use attester::InitialAttestation;
pub use attester::PsaAttester;
pub use claims::PsaClaims;
pub use verifier::PsaVerifier;
