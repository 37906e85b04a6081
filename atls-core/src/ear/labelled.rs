//! Claims of JSON in the form of CBOR: labels for names, numbers for tiers, bytes for base64url.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::Map;
use serde_json::Value;

use super::labels::APPRAISAL;
use super::labels::Claim;
use super::labels::Shape;
use super::tier::Tier;

/// The claims under the labels of these; others keep their names.
pub(super) fn labelled(claims: &Map<String, Value>, registered: &[Claim]) -> Option<Cbor> {
    let entries = claims.iter().map(|(name, value)| {
        match registered.iter().find(|claim| claim.name == name) {
            Some(claim) => Some((integer(claim.label)?, shaped(&claim.shape, value)?)),
            None => Some((Cbor::Text(name.clone()), any(value))),
        }
    });
    Some(Cbor::Map(entries.collect::<Option<_>>()?))
}

// The claims are those of `Statement`, which nest three deep.
fn shaped(shape: &Shape, value: &Value) -> Option<Cbor> {
    match (shape, value) {
        (Shape::Map(registered), Value::Object(claims)) => labelled(claims, registered),
        (Shape::Nonce, Value::String(text)) => {
            Some(Cbor::Bytes(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?))
        }
        (Shape::Submods, Value::Object(parts)) => {
            let parts = parts.iter().map(|(name, part)| {
                let part = labelled(part.as_object()?, APPRAISAL)?;
                Some((Cbor::Text(name.clone()), part))
            });
            Some(Cbor::Map(parts.collect::<Option<_>>()?))
        }
        (Shape::Tier, Value::String(word)) => integer(Tier::from_word(word)?.number()),
        (_, value) => Some(any(value)),
    }
}

// serde_json reads values of at most 128 levels.
fn any(value: &Value) -> Cbor {
    match value {
        Value::Array(elements) => Cbor::Array(elements.iter().map(any).collect()),
        Value::Bool(truth) => Cbor::Bool(*truth),
        Value::Null => Cbor::Null,
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Cbor::from(number),
            (_, Some(number)) => Cbor::from(number),
            _ => number.as_f64().map_or(Cbor::Null, Cbor::Float),
        },
        Value::Object(claims) => {
            let entries = claims.iter();
            Cbor::Map(
                entries
                    .map(|(name, value)| (Cbor::Text(name.clone()), any(value)))
                    .collect(),
            )
        }
        Value::String(text) => Cbor::Text(text.clone()),
    }
}

fn integer(number: i128) -> Option<Cbor> {
    Some(Cbor::Integer(number.try_into().ok()?))
}
