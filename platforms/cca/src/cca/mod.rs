//! CCA: a token in, a result out.

mod authentic;
mod claims;
mod findings;
mod trust_vector;
mod verifier;

pub use claims::CcaClaims;
pub use verifier::CcaVerifier;
