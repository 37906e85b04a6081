//! The COSE_Sign1 around a CoRIM (draft-ietf-rats-corim-11 §4.2, RFC 9052).

use atls_core::ear::EarError;
use atls_core::ear::VerificationKeys;
use corim::cbor::value::Value;
use corim::types::signed::CoseAlgorithm;
use corim::types::signed::CoseLabel;
use corim::types::signed::CoseSign1Corim;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::error::CorimError;
use super::error::malformed;

pub(super) fn verify(
    envelope: &CoseSign1Corim,
    keys: &VerificationKeys,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<(), CorimError> {
    let header = envelope.protected();
    // No critical header is known, in either map.
    let critical = header.extra.contains_key(&CoseLabel::Int(CRIT))
        || envelope
            .unprotected
            .iter()
            .any(|(label, _)| *label == Value::Integer(CRIT.into()));
    let algorithm = number(header.alg).filter(|_| !critical);
    let algorithm = algorithm.ok_or(CorimError::Algorithm)?;
    // This refuses detached payloads, and hashes in place of payloads.
    let message = envelope
        .to_be_signed(&[])
        .map_err(|error| malformed(None, &error))?;
    let key_id = header.kid.as_deref().unwrap_or_default();
    let verified = keys.verify_cose(algorithm, key_id, supported, &message, &envelope.signature);
    verified.map_err(|error| match error {
        EarError::BadSignature => CorimError::BadSignature,
        EarError::UnknownKey => CorimError::UnknownKey,
        _ => CorimError::Algorithm,
    })
}

/// The numbers of RFC 9864, which name the curve, equal those of RFC 9053 for a key of that curve.
fn number(algorithm: CoseAlgorithm) -> Option<i64> {
    match algorithm {
        CoseAlgorithm::Es256 | CoseAlgorithm::Esp256 => Some(CoseAlgorithm::Es256.to_i64()),
        CoseAlgorithm::Es384 | CoseAlgorithm::Esp384 => Some(CoseAlgorithm::Es384.to_i64()),
        CoseAlgorithm::EdDsa | CoseAlgorithm::Ed25519 => Some(CoseAlgorithm::EdDsa.to_i64()),
        CoseAlgorithm::Ps256 | CoseAlgorithm::Ps384 | CoseAlgorithm::Ps512 => {
            Some(algorithm.to_i64())
        }
        _ => None,
    }
}

/// RFC 9052 §3.1.
const CRIT: i64 = 2;
