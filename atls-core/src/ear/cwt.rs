//! Results as CWT (RFC 8392): a COSE_Sign1 around CBOR.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::CoseSign1Builder;
use coset::Header;
use coset::RegisteredLabelWithPrivate;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use coset::iana::EnumI64;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde_json::Map;
use serde_json::Value;

use super::Ear;
use super::EarError;
use super::EarSigner;
use super::EncodeError;
use super::MAX_TOKEN;
use super::Statement;
use super::claims;
use super::claims::Check;
use super::keys::VerificationKeys;
use super::labelled::labelled;
use super::labels::APPRAISAL;
use super::labels::Claim;
use super::labels::Shape;
use super::labels::TOKEN;
use super::profile;
use super::tier::Tier;
use crate::bounded;
use crate::bounded::CborError;
use crate::bounded::CborLimits;
use crate::cbor;
use crate::limits::MAX_HEADER_VALUES;
use crate::limits::MAX_TOKEN_VALUES;

/// Verifies and reads a COSE_Sign1 of at most 64 KiB, with or without its tag 18 or the CWT tag 61. `supported` is the
/// `signature_verification_algorithms` of your `CryptoProvider`.
///
/// The *protected* header must name an `alg` of a pinned key, and the other header must name none. A `kid` narrows the choice of
/// key as in a JWT; a `kid` that is no text fits no key. A token with `crit` is refused. Only the IETF profiles have this form.
/// Their claims have numbers, and a token that uses the JSON name of such a claim is refused.
///
/// # Errors
/// [`EarError`]. No claim is read before the signature is verified.
pub fn decode(
    token: &[u8],
    keys: &VerificationKeys,
    supported: &WebPkiSupportedAlgorithms,
    check: &Check<'_>,
) -> Result<Ear, EarError> {
    claims::read(&verify(token, keys, supported)?, check)
}

/// Verifies the signature of a token as [`decode`] does, and returns its claims, by their names in JSON. **Nothing else is checked**: for
/// whoever shows a result, and does not rely on it.
///
/// # Errors
/// [`EarError`] for a bad header or signature, and for claims that are no map of an EAR.
pub fn verify(
    token: &[u8],
    keys: &VerificationKeys,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<Map<String, Value>, EarError> {
    if token.len() > MAX_TOKEN {
        return Err(EarError::TooLarge);
    }
    let token = token.strip_prefix(&CWT_TAG).unwrap_or(token);
    if !bounded::cose_sign1(MAX_HEADER_VALUES, token) {
        return Err(EarError::TooLarge);
    }
    let sign1 = match token.first() {
        Some(&SIGN1_TAG) => CoseSign1::from_tagged_slice(token),
        _ => CoseSign1::from_slice(token),
    };
    let sign1 = sign1.map_err(|_| EarError::Malformed)?;
    let header = &sign1.protected.header;
    let Some(RegisteredLabelWithPrivate::Assigned(name)) = &header.alg else {
        return Err(EarError::Algorithm);
    };
    let critical = !header.crit.is_empty() || !sign1.unprotected.crit.is_empty();
    if critical || sign1.unprotected.alg.is_some() {
        return Err(EarError::Algorithm);
    }
    let payload = sign1.payload.as_deref().ok_or(EarError::Malformed)?;
    keys.verify_cose(
        name.to_i64(),
        key_id(&sign1)?,
        supported,
        &sign1.tbs_data(b""),
        &sign1.signature,
    )?;
    let entries = match LIMITS.read(payload) {
        Ok(Cbor::Map(entries)) if !cbor::hides_integer(payload) => entries,
        Err(CborError::TooMany) => return Err(EarError::TooLarge),
        _ => return Err(EarError::Malformed),
    };
    let claims = object(entries, TOKEN)?;
    if let Some(Value::String(profile)) = claims.get("eat_profile")
        && !profile::is_ietf(profile)
    {
        return Err(EarError::Profile);
    }
    Ok(claims)
}

/// Signs a result, as a COSE_Sign1 with its tag. Algorithm and key identifier are in the protected header.
///
/// # Errors
/// [`EncodeError`].
pub fn encode(statement: &Statement<'_>, signer: &EarSigner) -> Result<Vec<u8>, EncodeError> {
    let claims = labelled(&statement.claims()?, TOKEN).ok_or(EncodeError::TooLarge)?;
    let mut payload = Vec::new();
    // A vector takes all.
    ciborium::into_writer(&claims, &mut payload).map_err(|_| EncodeError::TooLarge)?;
    let algorithm = Algorithm::from_i64(signer.algorithm().cose);
    let protected = Header {
        alg: algorithm.map(RegisteredLabelWithPrivate::Assigned),
        key_id: signer.key_id().unwrap_or_default().into(),
        ..Header::default()
    };
    let builder = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload);
    let signed = builder.try_create_signature(b"", |message| signer.sign(message))?;
    let token = signed.build().to_tagged_vec();
    let token = token.map_err(|_| EncodeError::TooLarge)?;
    if token.len() > MAX_TOKEN {
        return Err(EncodeError::TooLarge);
    }
    Ok(token)
}

/// The key identifier, which is in one of the two headers (RFC 9052 §3), or empty.
fn key_id(sign1: &CoseSign1) -> Result<&[u8], EarError> {
    let (inside, outside) = (&sign1.protected.header.key_id, &sign1.unprotected.key_id);
    match (inside.as_slice(), outside.as_slice()) {
        (id, []) | ([], id) => Ok(id),
        _ => Err(EarError::Malformed),
    }
}

/// The same claims in the form of JSON: names for labels, words for tiers, base64url for bytes.
fn object(
    entries: Vec<(Cbor, Cbor)>,
    registered: &'static [Claim],
) -> Result<Map<String, Value>, EarError> {
    let mut object = Map::new();
    for (label, value) in entries {
        let (name, value) = match label {
            Cbor::Integer(label) => {
                let label = i128::from(label);
                match registered.iter().find(|claim| claim.label == label) {
                    Some(claim) => (claim.name.to_owned(), claim.shape.read(value)?),
                    None => (label.to_string(), json(value)?),
                }
            }
            // A second spelling of a registered claim. Later code could not tell the two apart.
            Cbor::Text(name) if registered.iter().any(|claim| claim.name == name) => {
                return Err(EarError::Malformed);
            }
            Cbor::Text(name) => (name, json(value)?),
            _ => return Err(EarError::Malformed),
        };
        if object.insert(name, value).is_some() {
            return Err(EarError::Malformed);
        }
    }
    Ok(object)
}

impl Shape {
    // Recursion is bounded by `LIMITS`.
    fn read(&self, value: Cbor) -> Result<Value, EarError> {
        match (self, value) {
            (Self::Map(registered), Cbor::Map(entries)) => {
                Ok(Value::Object(object(entries, registered)?))
            }
            (Self::Nonce, value @ Cbor::Bytes(_)) => json(value),
            // Several nonces (RFC 9711 §4.1), or another type.
            (Self::Nonce, _) => Err(EarError::Nonce),
            (Self::Submods, Cbor::Map(entries)) => submods(entries),
            (Self::Texts, Cbor::Array(elements)) => {
                let texts = elements.into_iter().map(|text| Self::Text.read(text));
                Ok(Value::Array(texts.collect::<Result<_, _>>()?))
            }
            // A CWT has the number of a tier; JSON has the word.
            (Self::Tier, Cbor::Integer(number)) => {
                let tier = Tier::from_number(number.into()).ok_or(EarError::Malformed)?;
                Ok(Value::from(tier.to_string()))
            }
            (Self::Integer, value @ Cbor::Integer(_)) | (Self::Text, value @ Cbor::Text(_)) => {
                json(value)
            }
            (Self::Any, value) => json(value),
            _ => Err(EarError::Malformed),
        }
    }
}

fn submods(entries: Vec<(Cbor, Cbor)>) -> Result<Value, EarError> {
    let mut submods = Map::new();
    for (label, value) in entries {
        let (Cbor::Text(name), Cbor::Map(claims)) = (label, value) else {
            return Err(EarError::Malformed);
        };
        let claims = Value::Object(object(claims, APPRAISAL)?);
        if submods.insert(name, claims).is_some() {
            return Err(EarError::Malformed);
        }
    }
    Ok(Value::Object(submods))
}

/// A value of any type in the form of JSON.
fn json(value: Cbor) -> Result<Value, EarError> {
    Ok(match value {
        Cbor::Array(elements) => {
            let elements = elements.into_iter().map(json);
            Value::Array(elements.collect::<Result<_, _>>()?)
        }
        Cbor::Bool(truth) => Value::Bool(truth),
        Cbor::Bytes(bytes) => Value::from(BASE64_URL_SAFE_NO_PAD.encode(bytes)),
        Cbor::Float(number) => Value::from(number),
        Cbor::Integer(number) => {
            let number = i128::from(number);
            match (u64::try_from(number), i64::try_from(number)) {
                (Ok(number), _) => Value::from(number),
                (_, Ok(number)) => Value::from(number),
                _ => return Err(EarError::Malformed),
            }
        }
        Cbor::Map(entries) => Value::Object(object(entries, &[])?),
        Cbor::Null => Value::Null,
        Cbor::Tag(_, inner) => json(*inner)?,
        Cbor::Text(text) => Value::String(text),
        _ => return Err(EarError::Malformed),
    })
}

/// The vector of a part nests four deep, the claims of a device under it somewhat deeper.
const LIMITS: CborLimits = CborLimits {
    items: MAX_TOKEN_VALUES,
    nesting: 16,
};

/// CBOR tag 61.
const CWT_TAG: [u8; 2] = [0xd8, 0x3d];

/// CBOR tag 18.
const SIGN1_TAG: u8 = 0xd2;
