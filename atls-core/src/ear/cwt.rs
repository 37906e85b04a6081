//! Results as CWT (RFC 8392): a COSE_Sign1 around CBOR.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::RegisteredLabelWithPrivate;
use coset::TaggedCborSerializable;
use coset::iana::EnumI64;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde_json::Map;
use serde_json::Value;

use super::Ear;
use super::EarError;
use super::MAX_TOKEN;
use super::claims;
use super::claims::Check;
use super::claims::IETF;
use super::keys::VerificationKeys;
use super::tier::Category;
use super::tier::Tier;

/// Verifies and reads a COSE_Sign1 of at most 64 KiB, with or without its tag 18 or the CWT tag 61. `supported` is the
/// `signature_verification_algorithms` of your `CryptoProvider`.
///
/// The *protected* `alg` must be that of a pinned key, a `kid` of text may choose among them, and `crit` refuses.
/// Only the IETF profiles have this form.
///
/// # Errors
/// [`EarError`]; nothing of the claims is read before the signature verified.
pub fn decode(
    token: &[u8],
    keys: &VerificationKeys,
    supported: &WebPkiSupportedAlgorithms,
    check: &Check<'_>,
) -> Result<Ear, EarError> {
    if token.len() > MAX_TOKEN {
        return Err(EarError::TooLarge);
    }
    let token = token.strip_prefix(&CWT_TAG).unwrap_or(token);
    let sign1 = match token.first() {
        Some(&SIGN1_TAG) => CoseSign1::from_tagged_slice(token),
        _ => CoseSign1::from_slice(token),
    };
    let sign1 = sign1.map_err(|_| EarError::Malformed)?;
    let header = &sign1.protected.header;
    let Some(RegisteredLabelWithPrivate::Assigned(name)) = &header.alg else {
        return Err(EarError::Algorithm);
    };
    if !header.crit.is_empty() || !sign1.unprotected.crit.is_empty() {
        return Err(EarError::Algorithm);
    }
    let payload = sign1.payload.as_deref().ok_or(EarError::Malformed)?;
    let key_id = Some(&header.key_id)
        .filter(|id| !id.is_empty())
        .unwrap_or(&sign1.unprotected.key_id);
    keys.verify_cose(
        name.to_i64(),
        key_id,
        supported,
        &sign1.tbs_data(b""),
        &sign1.signature,
    )?;
    // coset refuses what trails, and bounds nesting.
    let Ok(Cbor::Map(entries)) = Cbor::from_slice(payload) else {
        return Err(EarError::Malformed);
    };
    claims::read(&object(entries, Place::Token)?, check)
}

/// Where a map stands decides what its integer labels mean.
#[derive(Clone, Copy)]
enum Place {
    Appraisal,
    Elsewhere,
    Submods,
    Token,
    Vector,
    Verifier,
}

/// The same claims as JSON has them: names for labels, words for tiers, base64url for octets.
fn object(entries: Vec<(Cbor, Cbor)>, place: Place) -> Result<Map<String, Value>, EarError> {
    let mut object = Map::new();
    for (label, value) in entries {
        let (name, inner) = match label {
            Cbor::Integer(label) => name_of(i128::from(label), place),
            Cbor::Text(text) => {
                let inner = match place {
                    Place::Submods => Place::Appraisal,
                    _ => Place::Elsewhere,
                };
                (text, inner)
            }
            _ => return Err(EarError::Malformed),
        };
        let is_status = matches!(place, Place::Appraisal | Place::Token) && name == IETF.status;
        let value = match value {
            Cbor::Integer(number) if is_status => {
                let tier = Tier::from_number(number.into()).ok_or(EarError::Malformed)?;
                Value::from(tier.to_string())
            }
            // The word is for JSON.
            _ if is_status => return Err(EarError::Malformed),
            other => json(other, inner)?,
        };
        if object.insert(name, value).is_some() {
            return Err(EarError::Malformed);
        }
    }
    Ok(object)
}

// Recursion is bounded by the depth of nesting that coset reads.
fn json(value: Cbor, place: Place) -> Result<Value, EarError> {
    Ok(match value {
        Cbor::Array(elements) => {
            let elements = elements.into_iter();
            let elements = elements.map(|element| json(element, Place::Elsewhere));
            Value::Array(elements.collect::<Result<_, _>>()?)
        }
        Cbor::Bool(truth) => Value::Bool(truth),
        Cbor::Bytes(octets) => Value::from(BASE64_URL_SAFE_NO_PAD.encode(octets)),
        Cbor::Float(number) => Value::from(number),
        Cbor::Integer(number) => {
            let number = i128::from(number);
            match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => Value::from(number),
                (_, Ok(number)) => Value::from(number),
                _ => return Err(EarError::Malformed),
            }
        }
        Cbor::Map(entries) => Value::Object(object(entries, place)?),
        Cbor::Null => Value::Null,
        Cbor::Tag(_, inner) => json(*inner, place)?,
        Cbor::Text(text) => Value::String(text),
        _ => return Err(EarError::Malformed),
    })
}

/// draft-ietf-rats-ear §3 and §8, RFC 8392 §4, RFC 9711 §10.1.
fn name_of(label: i128, place: Place) -> (String, Place) {
    let (name, inner) = match (place, label) {
        (Place::Token, 1) => ("iss", Place::Elsewhere),
        (Place::Token, 4) => ("exp", Place::Elsewhere),
        (Place::Token, 5) => ("nbf", Place::Elsewhere),
        (Place::Token, 6) => ("iat", Place::Elsewhere),
        (Place::Token | Place::Appraisal, 10) => ("eat_nonce", Place::Elsewhere),
        (Place::Token, 265) => ("eat_profile", Place::Elsewhere),
        (Place::Token, 266) => ("submods", Place::Submods),
        (Place::Token | Place::Appraisal, 1000) => (IETF.status, Place::Elsewhere),
        (Place::Appraisal, 1001) => (IETF.vector, Place::Vector),
        (Place::Appraisal, 1003) => (IETF.policy, Place::Elsewhere),
        (Place::Token, 1004) => (IETF.verifier, Place::Verifier),
        (Place::Verifier, 0) => ("developer", Place::Elsewhere),
        (Place::Verifier, 1) => ("build", Place::Elsewhere),
        (Place::Vector, label) => {
            let category = usize::try_from(label)
                .ok()
                .and_then(|i| Category::ALL.get(i).copied());
            match category {
                Some(category) => (category.name(), Place::Elsewhere),
                None => return (label.to_string(), Place::Elsewhere),
            }
        }
        _ => return (label.to_string(), Place::Elsewhere),
    };
    (name.to_owned(), inner)
}

/// CBOR tag 61.
const CWT_TAG: [u8; 2] = [0xd8, 0x3d];

/// CBOR tag 18.
const SIGN1_TAG: u8 = 0xd2;
