//! The passport model: the attester fetches its own result.

use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Issuer;
use atls_core::MediaType;

use crate::error::ConfigError;
use crate::verifier::VeraisonVerifier;

/// Has a Veraison service issue results for this machine's own Evidence, for `atls-passport` to present.
///
/// Nothing is judged here: what the service gave is passed on as it came, and the relying party verifies it.
#[derive(Debug)]
pub struct VeraisonIssuer {
    verifier: VeraisonVerifier,
    media_type: MediaType,
}

impl VeraisonIssuer {
    /// Asks the service of this verifier, in its formats.
    ///
    /// # Errors
    /// None in practice: the media type is one.
    pub fn new(verifier: VeraisonVerifier) -> Result<Self, ConfigError> {
        let media_type = MediaType::parse(RESULTS).map_err(|_| ConfigError::MediaType)?;
        Ok(Self {
            verifier,
            media_type,
        })
    }
}

impl Issuer for VeraisonIssuer {
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

/// RFC 9782, with the profile of deployed services.
const RESULTS: &str = "application/eat+jwt; eat_profile=\"tag:github.com,2023:veraison/ear\"";
