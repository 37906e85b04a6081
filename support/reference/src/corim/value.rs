//! CBOR within limits, and the way through it.

use corim::DecodeError;
use corim::cbor;
use corim::cbor::DecodeLimits;
use corim::cbor::value::Value;
use serde::de::DeserializeOwned;

/// One item and nothing behind it.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    cbor::decode_exact_with_limits(bytes, &limits())
}

pub(super) fn limits() -> DecodeLimits {
    let mut limits = DecodeLimits::default();
    limits.max_input_bytes = MAX_CORIM;
    limits.max_depth = 24;
    limits.max_values = 100_000;
    limits.max_collection_items = 10_000;
    limits
}

pub(super) fn get(map: &Value, key: i128) -> Option<&Value> {
    let Value::Map(entries) = map else {
        return None;
    };
    let mut entries = entries.iter();
    entries
        .find(|(known, _)| *known == Value::Integer(key))
        .map(|(_, value)| value)
}

pub(super) fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list = match list {
        Some(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    list.iter()
}

/// Largest CoRIM, in bytes. Nesting is bounded to 24, values to 100 000, and each list to 10 000.
pub const MAX_CORIM: usize = 1024 * 1024;
