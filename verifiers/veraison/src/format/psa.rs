//! PSA attestation tokens, RFC 9783.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::expected::ExpectedValue;
use atls_formats::psa;
use atls_formats::psa::Profile;
use atls_formats::psa::SignedToken;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;

use super::configuration::Configuration;
use super::origin::origin;
use crate::parts::Parts;
use crate::service::VeraisonService;

/// A PSA attestation token: COSE_Sign1 with the value of the connection in `eat_nonce`, verbatim, 32 or 48 bytes.
///
/// The same signed bytes give the origin, by the implementation ID, and a local appraisal of the security lifecycle: Veraison's
/// scheme counts *non-PSA RoT debug* as secured, and this crate does not.
#[derive(Clone, Debug)]
pub struct PsaToken {
    media_type: &'static str,
    profiles: &'static [Profile],
}

impl PsaToken {
    /// `application/eat+cwt; eat_profile="tag:psacertified.org,2023:psa#tfm"`.
    pub fn tfm() -> Self {
        Self {
            media_type: Profile::Tfm.media_type(),
            profiles: &[Profile::Tfm],
        }
    }

    /// `application/psa-attestation-token`, with the profile of RFC 9783 or its predecessor `http://arm.com/psa/2.0.0`. Tokens of
    /// `PSA_IOT_PROFILE_1` are refused: their claims have other keys.
    pub fn any_profile() -> Self {
        Self {
            media_type: Profile::Predecessor.media_type(),
            profiles: &[Profile::Tfm, Profile::Predecessor],
        }
    }
}

impl EvidenceFormat<VeraisonService> for PsaToken {
    fn media_type(&self) -> &str {
        self.media_type
    }

    fn terms(&self) -> Parts {
        Parts::of("PSA_IOT")
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        psa::eat_nonce(bound)
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, Failure> {
        let token = SignedToken::decode(evidence)?;
        let claims = token.claims();
        if !self.profiles.contains(&claims.profile()?) {
            return Err(AppraisalError::Malformed.into());
        }
        let configuration = Configuration::from(claims.lifecycle()?);
        let reading = EvidenceReading::new(claims.nonce()?, origin(claims)?);
        Ok(reading.with_local_appraisal(configuration.into()))
    }
}
