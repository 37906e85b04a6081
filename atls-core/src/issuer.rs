//! A Verifier that hands its signed result to the attester: the passport model (RFC 9334 §5.1).

use crate::box_future::BoxFuture;
use crate::error::AppraisalError;
use crate::media_type::MediaType;
use crate::verifier::Evidence;

/// Obtains a signed Attestation Result for Evidence of this machine, for peers that trust its signer.
///
/// What it gives is passed on and not judged: the relying party verifies it, and so learns whether it is a good one.
pub trait Issuer: Send + Sync {
    /// The media type of its results, such as `application/eat+jwt` with the `eat_profile` of its dialect.
    fn media_type(&self) -> &MediaType;

    /// Has the Evidence appraised, under the value of the connection that it was made for, and gives the signed result:
    /// a compact JWS, or a COSE_Sign1.
    ///
    /// # Errors
    /// [`AppraisalError`] where the service gives none.
    fn issue<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
    ) -> BoxFuture<'a, Result<Vec<u8>, AppraisalError>>;
}
