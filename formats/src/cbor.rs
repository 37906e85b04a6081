//! CBOR of a peer (RFC 8949): one item within limits.

use atls_core::bounded;
use ciborium::Value;

/// Reads one item of at most `at_most` values, nested at most 16 deep. There is none if the bytes are malformed, exceed a limit
/// or go on after the item.
pub(crate) fn decode(at_most: usize, bytes: &[u8]) -> Option<Value> {
    if !bounded::cbor(at_most, bytes) {
        return None;
    }
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_NESTING).ok()?;
    rest.is_empty().then_some(value)
}

/// The value of a key that stands exactly once. Readers differ on which value of a repeated key counts.
pub(crate) fn only(entries: &[(Value, Value)], key: u16) -> Option<&Value> {
    let key = Value::from(key);
    let mut found = entries.iter().filter(|(known, _)| *known == key);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

/// Claims of devices nest three or four deep.
const MAX_NESTING: usize = 16;
