//! Evidence of two parts: the quote and the event log.

use ciborium::Value;

use atls_core::bounded;

use crate::error::QuoteError;

/// Writes `[ quote: bstr, event log: bstr ]`.
pub(crate) fn encode(quote: Vec<u8>, log: Vec<u8>) -> Result<Vec<u8>, QuoteError> {
    let mut octets = Vec::new();
    let value = Value::Array(vec![Value::Bytes(quote), Value::Bytes(log)]);
    ciborium::into_writer(&value, &mut octets).map_err(|_| QuoteError::Malformed("evidence"))?;
    Ok(octets)
}

pub(crate) fn decode(octets: &[u8]) -> Result<(Vec<u8>, Vec<u8>), QuoteError> {
    let malformed = QuoteError::Malformed("evidence");
    if !bounded::cbor(MAX_VALUES, octets) {
        return Err(malformed);
    }
    let mut rest = octets;
    let Ok(Value::Array(parts)) =
        ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_NESTING)
    else {
        return Err(malformed);
    };
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Value::Bytes(quote)), Some(Value::Bytes(log)), None) if rest.is_empty() => {
            Ok((quote, log))
        }
        _ => Err(malformed),
    }
}

/// Most values in the array, which has three with itself; a string may stand in chunks.
const MAX_VALUES: usize = 64;

/// An array of octets.
const MAX_NESTING: usize = 3;
