//! The content that a format finds.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_veraison::VeraisonService;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1Builder;
use coset::TaggedCborSerializable;

pub(crate) type Entries = Vec<(Value, Value)>;

/// A reading with a value, an origin, and a local appraisal of the configuration.
pub(crate) fn found(
    challenge: &[u8],
    origin: Origin,
    configuration: i8,
) -> Result<EvidenceReading, AppraisalError> {
    let vector = TrustVector::new().with(Category::Configuration, TrustClaim::new(configuration));
    Ok(EvidenceReading::new(challenge, origin).with_local_appraisal(Appraisal::new(vector)))
}

/// As the verifier does with the value of a connection.
pub(crate) fn check(
    format: &dyn EvidenceFormat<VeraisonService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<EvidenceReading, AppraisalError> {
    let carried = format.read(evidence)?;
    if carried.carried() == challenge {
        Ok(carried)
    } else {
        Err(AppraisalError::NotBound)
    }
}

pub(crate) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

pub(crate) fn encode(value: Value) -> Vec<u8> {
    value.to_vec().unwrap()
}

pub(crate) fn sign1(claims: Entries) -> Vec<u8> {
    let sign1 = CoseSign1Builder::new().payload(encode(Value::Map(claims)));
    sign1.build().to_tagged_vec().unwrap()
}

pub(crate) fn with(mut claims: Entries, key: i32, value: impl Into<Value>) -> Entries {
    claims.retain(|(known, _)| *known != key.into());
    claims.push((key.into(), value.into()));
    claims
}

pub(crate) fn without(mut claims: Entries, key: i32) -> Entries {
    claims.retain(|(known, _)| *known != key.into());
    claims
}

pub(crate) fn and(mut claims: Entries, key: i32, value: impl Into<Value>) -> Entries {
    claims.push((key.into(), value.into()));
    claims
}

pub(crate) const NONCE: [u8; 32] = *b"this nonce has thirty-two bytes.";

pub(crate) fn psa() -> Entries {
    vec![
        (265.into(), "tag:psacertified.org,2023:psa#tfm".into()),
        (10.into(), bytes(&NONCE)),
        (2395.into(), 0x3000.into()),
        (2396.into(), Value::Bytes(vec![9; 32])),
    ]
}

pub(crate) const CHALLENGE: [u8; 64] = [7; 64];
