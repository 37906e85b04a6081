//! The bounds on the number of values: nothing that a parser reads holds more values than its bound let through.
#![no_main]

use atls_core::bounded;
use atls_core::bounded::CborError;
use atls_core::bounded::CborLimits;
use serde_json::Value as Json;

atls_fuzz::target!(|bytes: &[u8]| {
    if let Ok(value) = serde_json::from_slice::<Json>(bytes) {
        let values = json_values(&value);
        assert!(!bounded::json(values - 1, bytes));
    }
    if let Ok(value) = ciborium::from_reader::<ciborium::Value, _>(&mut &*bytes) {
        let limits = CborLimits {
            items: cbor_values(&value) - 1,
            nesting: 256,
        };
        let read = limits.read::<ciborium::Value>(bytes);
        assert_eq!(read, Err(CborError::TooMany));
    }
    // What they cost is bounded too: a slow input is a finding.
    let _ = bounded::der(usize::MAX, bytes);
    let _ = bounded::cose_sign1(usize::MAX, bytes);
});

/// At least: of names that repeat, one is kept.
fn json_values(value: &Json) -> usize {
    match value {
        Json::Array(all) => 1 + all.iter().map(json_values).sum::<usize>(),
        Json::Object(all) => {
            1 + all
                .values()
                .map(|value| 1 + json_values(value))
                .sum::<usize>()
        }
        _ => 1,
    }
}

fn cbor_values(value: &ciborium::Value) -> usize {
    match value {
        ciborium::Value::Array(all) => 1 + all.iter().map(cbor_values).sum::<usize>(),
        ciborium::Value::Map(all) => {
            let both = all
                .iter()
                .map(|(name, value)| cbor_values(name) + cbor_values(value));
            1 + both.sum::<usize>()
        }
        ciborium::Value::Tag(_, inner) => 1 + cbor_values(inner),
        _ => 1,
    }
}
