//! PSA attestation tokens, RFC 9783.

use atls_core::AppraisalError;
use atls_formats::Carriage;
use atls_formats::origin_of;

use super::Carried;
use super::EvidenceFormat;
use super::cbor;

/// A PSA attestation token: COSE_Sign1, the value of the connection in `eat_nonce`, verbatim, 32 or 48 octets.
///
/// From the same signed octets come the origin, by the implementation ID, and a judgement of the security lifecycle:
/// Veraison's scheme counts *non-PSA RoT debug* as secured, this crate does not.
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

impl EvidenceFormat for PsaToken {
    fn media_type(&self) -> &str {
        self.media_type
    }

    fn carriage(&self) -> Carriage {
        Carriage::Verbatim
    }

    fn parts(&self) -> &[&'static str] {
        &["PSA_IOT"]
    }

    fn read(&self, evidence: &[u8]) -> Result<Carried, AppraisalError> {
        let claims = cbor::signed_claims(evidence)?;
        if !self.profiles.contains(&claims.text(EAT_PROFILE)?) {
            return Err(AppraisalError::Malformed);
        }
        let origin = origin_of(claims.octets(IMPLEMENTATION_ID)?);
        let lifecycle = super::lifecycle(claims.u16(LIFECYCLE)?);
        Ok(Carried::new(claims.octets(EAT_NONCE)?, origin).with_judgement(lifecycle))
    }
}

const TFM: &str = "tag:psacertified.org,2023:psa#tfm";

const EAT_NONCE: u16 = 10;
const EAT_PROFILE: u16 = 265;
const LIFECYCLE: u16 = 2395;
const IMPLEMENTATION_ID: u16 = 2396;
