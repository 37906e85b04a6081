//! The Verifier of the passport model (RFC 9334 §5.1): it gives its signed result to the attester.

use crate::box_future::BoxFuture;
use crate::error::AppraisalError;
use crate::media_type::MediaType;
use crate::verifier::Evidence;

/// Obtains a signed Attestation Result for Evidence of this machine, for peers that trust its signer.
///
/// The attester passes the result on without a look at it. The relying party verifies it.
pub trait Issuer: Send + Sync {
    /// The media type of its results, such as `application/eat+jwt` with the `eat_profile` of its dialect.
    fn media_type(&self) -> &MediaType;

    /// Has the Evidence appraised under the value of its connection, and returns the signed result: a compact JWS or a
    /// COSE_Sign1.
    ///
    /// # Errors
    /// [`AppraisalError`] where the service gives none.
    fn issue<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
    ) -> BoxFuture<'a, Result<Vec<u8>, AppraisalError>>;
}
