//! CoRIMs that are written for a test, and genuine ones.

use ::corim::cbor::value::Value;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimError;
use test_support::at;
use test_support::corim::bytes;
use test_support::corim::encode;
use test_support::corim::integer;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::corim::text;

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) fn read(bytes: &[u8]) -> Result<Corim, CorimError> {
    corim::unsigned(bytes, at(NOW))
}

pub(crate) fn document(tags: Vec<Value>) -> Vec<u8> {
    encode(&tag(501, Value::Map(document_entries(tags))))
}

pub(crate) fn document_entries(tags: Vec<Value>) -> Vec<(Value, Value)> {
    vec![(integer(0), text("test")), (integer(1), Value::Array(tags))]
}

pub(crate) fn comid<const N: usize>(triples: [Value; N]) -> Value {
    let entries = Value::Map(comid_entries(triples));
    tag(506, bytes(&encode(&entries)))
}

pub(crate) fn comid_entries<const N: usize>(triples: [Value; N]) -> Vec<(Value, Value)> {
    vec![
        (integer(1), map([(integer(0), text("comid"))])),
        (
            integer(4),
            map([(integer(0), Value::Array(triples.into()))]),
        ),
    ]
}

pub(crate) fn triple(values: Value) -> Value {
    Value::Array(vec![environment(), Value::Array(vec![measurement(values)])])
}

pub(crate) fn environment() -> Value {
    map([(integer(0), map([(integer(1), text("ACME"))]))])
}

pub(crate) fn measurement(values: Value) -> Value {
    map([(integer(1), values)])
}

pub(crate) fn digests() -> Value {
    let digest = Value::Array(vec![integer(1), bytes(&[7; 32])]);
    Value::Array(vec![digest])
}
