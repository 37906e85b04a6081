//! Arm CCA attestation tokens.

use atls_core::Bound;
use atls_core::expected::ExpectedValue;
use atls_formats::psa;
use atls_formats::psa::CCA_TOKEN;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;

use super::configuration::Configuration;
use super::origin::origin;
use crate::parts::Parts;
use crate::service::VeraisonService;

/// An Arm CCA attestation token ([layout](psa::CcaToken)): the value of the connection in the realm challenge, SHA-512, 64 bytes.
///
/// Origin and lifecycle are read from the platform token as for [`PsaToken`](super::PsaToken). The service verifies that the platform
/// vouches for the realm's key.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct CcaToken {}

impl CcaToken {
    /// `application/eat-collection; profile="http://arm.com/CCA-SSD/1.0.0"`.
    pub fn new() -> Self {
        Self {}
    }
}

impl EvidenceFormat<VeraisonService> for CcaToken {
    fn media_type(&self) -> &str {
        CCA_TOKEN
    }

    fn terms(&self) -> Parts {
        Parts::of("CCA_SSD_PLATFORM").with("CCA_REALM")
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        psa::realm_challenge(bound).into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, Failure> {
        let token = psa::CcaToken::decode(evidence)?;
        let platform = token.platform();
        let configuration = Configuration::from(platform.lifecycle()?);
        let reading = EvidenceReading::new(token.realm().nonce()?, origin(platform)?);
        Ok(reading.with_local_appraisal(configuration.into()))
    }
}
