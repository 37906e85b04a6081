//! Arm CCA attestation tokens.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::ExpectedValue;
use atls_formats::origin_of;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use ciborium::Value;

use super::cbor;
use super::cbor::Map;
use crate::parts::Parts;
use crate::service::VeraisonService;

/// An Arm CCA attestation token: a realm token and a platform token, the value of the connection in the realm challenge,
/// SHA-512, 64 bytes.
///
/// ```text
/// #6.399({ 44234: bstr .cbor COSE_Sign1,    platform
///          44241: bstr .cbor COSE_Sign1 })  realm
/// ```
///
/// The collection is not signed, so nothing else may be in it. That the platform vouches for the realm's key, which binds the
/// two tokens, is the service's to verify. Origin and lifecycle are read from the platform token as for
/// [`PsaToken`](super::PsaToken).
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
        "application/eat-collection; profile=\"http://arm.com/CCA-SSD/1.0.0\""
    }

    fn terms(&self) -> Parts {
        Parts::of("CCA_SSD_PLATFORM").with("CCA_REALM")
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        bound.sha512().into()
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, AppraisalError> {
        let Value::Tag(COLLECTION, tokens) = cbor::decode(evidence)? else {
            return Err(AppraisalError::Malformed);
        };
        let tokens = Map::of(*tokens)?;
        if tokens.len() != 2 {
            return Err(AppraisalError::Malformed);
        }
        let realm = cbor::signed_claims(tokens.bytes(REALM)?)?;
        let platform = cbor::signed_claims(tokens.bytes(PLATFORM)?)?;
        let origin = origin_of(platform.bytes(IMPLEMENTATION_ID)?);
        let lifecycle = super::lifecycle(platform.u16(LIFECYCLE)?);
        Ok(EvidenceReading::new(realm.bytes(CHALLENGE)?, origin).with_local_appraisal(lifecycle))
    }
}

const COLLECTION: u64 = 399;
const PLATFORM: u16 = 44234;
const REALM: u16 = 44241;

const CHALLENGE: u16 = 10;
const LIFECYCLE: u16 = 2395;
const IMPLEMENTATION_ID: u16 = 2396;
