//! PSA attestation tokens, RFC 9783.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::ExpectedValue;
use atls_formats::origin_of;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;

use super::cbor;
use crate::parts::Parts;
use crate::service::VeraisonService;

/// A PSA attestation token: COSE_Sign1, the value of the connection in `eat_nonce`, verbatim, 32 or 48 bytes.
///
/// The same signed bytes give the origin, by the implementation ID, and a local appraisal of the security lifecycle: Veraison's scheme
/// counts *non-PSA RoT debug* as secured, this crate does not.
#[derive(Clone, Debug)]
pub struct PsaToken {
    media_type: &'static str,
    profiles: &'static [&'static str],
}

impl PsaToken {
    /// `application/eat+cwt; eat_profile="tag:psacertified.org,2023:psa#tfm"`.
    pub fn tfm() -> Self {
        Self {
            media_type: "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"",
            profiles: &[TFM],
        }
    }

    /// `application/psa-attestation-token`, with the profile of RFC 9783 or its predecessor `http://arm.com/psa/2.0.0`. Not
    /// with `PSA_IOT_PROFILE_1`, whose claims have other keys.
    pub fn any_profile() -> Self {
        Self {
            media_type: "application/psa-attestation-token",
            profiles: &[TFM, "http://arm.com/psa/2.0.0"],
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
        bound.verbatim()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, AppraisalError> {
        let claims = cbor::signed_claims(evidence)?;
        if !self.profiles.contains(&claims.text(EAT_PROFILE)?) {
            return Err(AppraisalError::Malformed);
        }
        let origin = origin_of(claims.bytes(IMPLEMENTATION_ID)?);
        let lifecycle = super::lifecycle(claims.u16(LIFECYCLE)?);
        Ok(EvidenceReading::new(claims.bytes(EAT_NONCE)?, origin).with_local_appraisal(lifecycle))
    }
}

const TFM: &str = "tag:psacertified.org,2023:psa#tfm";

const EAT_NONCE: u16 = 10;
const EAT_PROFILE: u16 = 265;
const LIFECYCLE: u16 = 2395;
const IMPLEMENTATION_ID: u16 = 2396;
