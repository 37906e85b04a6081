//! A forged device, and the verifier that knows it.

use atls_cca::PsaVerifier;
use atls_cca::testing::ForgedPsa;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use test_support::Connection;
use test_support::ready;

use crate::support::at;
use crate::support::provider;

/// A connection, a device at its other end, and a verifier that knows it.
pub(crate) struct Setting {
    pub(crate) connection: Connection,
    pub(crate) forged: ForgedPsa,
    pub(crate) verifier: PsaVerifier,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self::of(ForgedPsa::new())
    }

    pub(crate) fn of(forged: ForgedPsa) -> Self {
        Self::with(Connection::new(), forged)
    }

    pub(crate) fn with(connection: Connection, forged: ForgedPsa) -> Self {
        Self {
            connection,
            verifier: forged.verifier(&provider()),
            forged,
        }
    }

    /// By the real attester.
    pub(crate) fn token(&self) -> Vec<u8> {
        self.connection.evidence(&mut self.forged.attester())
    }

    /// Under the media type of the device's profile.
    pub(crate) fn appraise(&self, token: &[u8]) -> Result<Appraised, AppraisalError> {
        let media_type = MediaType::parse(self.forged.device.profile.media_type()).unwrap();
        let evidence = Evidence::new(&media_type, token, self.connection.bound());
        ready(self.verifier.appraise(&evidence, at()))
    }

    pub(crate) fn refusal(&self, token: &[u8]) -> AppraisalError {
        self.appraise(token).unwrap_err()
    }
}
