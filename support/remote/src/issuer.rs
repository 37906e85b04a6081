//! The passport model: an attester fetches its own result.

use std::fmt;

use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::ear::Issuer;

use crate::service::IssuingService;
use crate::setup::SetupError;
use crate::verifier::RemoteVerifier;

/// Has a service issue results for this machine's own Evidence, which `atls-passport` presents.
///
/// The result is passed on as it came. The relying party verifies it.
pub struct RemoteIssuer<S: IssuingService> {
    verifier: RemoteVerifier<S>,
    media_type: MediaType,
}

impl<S: IssuingService> RemoteIssuer<S> {
    /// Asks the service of this verifier, in its formats.
    ///
    /// # Errors
    /// [`SetupError::MediaType`] where [`IssuingService::RESULTS`] is malformed.
    pub fn new(verifier: RemoteVerifier<S>) -> Result<Self, SetupError> {
        let media_type = MediaType::parse(S::RESULTS)?;
        Ok(Self {
            verifier,
            media_type,
        })
    }
}

impl<S: IssuingService> Issuer for RemoteIssuer<S> {
    fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    fn issue<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
    ) -> BoxFuture<'a, Result<Vec<u8>, AppraisalError>> {
        Box::pin(async move { Ok(self.verifier.fetch(evidence).await?.into_bytes()) })
    }
}

impl<S: IssuingService> fmt::Debug for RemoteIssuer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteIssuer")
            .field("verifier", &self.verifier)
            .field("media_type", &self.media_type)
            .finish()
    }
}
