//! CoRIMs of TDs and enclaves.

use ::corim::cbor::value::Value;
use atls_reference::Table;
use atls_tdx::TdReport;
use test_support::corim::ForgedCorim;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::measurement;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;

use crate::support::NOW;

/// Content bytes of 2.16.840.1.113741, Intel's arc.
pub(crate) const INTEL: [u8; 7] = [0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x4d];

pub(crate) const PROFILE: [u8; 3] = [0x01, 0x10, 0x01];

pub(crate) const TDX_MODULE: [u8; 5] = [0x01, 0x02, 0x03, 0x04, 0x03];

pub(crate) const ENCLAVE: [u8; 5] = [0x01, 0x02, 0x03, 0x05, 0x01];

/// The reason for which no table is made of it.
pub(crate) fn problem<T: Table + std::fmt::Debug>(document: &ForgedCorim) -> String {
    document
        .read(NOW)
        .unwrap()
        .dangerous_table_without_end::<T>()
        .unwrap_err()
        .to_string()
}

pub(crate) fn document(triples: Vec<Value>) -> ForgedCorim {
    let profile = tag(111, bytes(&[&INTEL[..], &PROFILE].concat()));
    ForgedCorim::new(Some(profile), triples)
}

pub(crate) fn td(report: &TdReport) -> Value {
    triple([vendor(), model()], td_values(report))
}

pub(crate) fn td_values(report: &TdReport) -> Vec<Value> {
    let mrtd = digest(7, report.mrtd.as_bytes());
    vec![measurement(
        None,
        [
            (integer(11), text("payments")),
            (integer(14), registers(report)),
            (integer(-83), mrtd),
        ],
    )]
}

pub(crate) fn registers(report: &TdReport) -> Value {
    let register = |number: usize| {
        let value = digest(7, report.rtmr[number].as_bytes());
        (integer(number as i128), list(vec![value]))
    };
    map([register(0), register(1), register(2), register(3)])
}

pub(crate) fn module(mrseam: &[u8], named: Option<&str>) -> Value {
    let mut class = vec![(
        integer(0),
        tag(111, bytes(&[&INTEL[..], &TDX_MODULE].concat())),
    )];
    if let Some(named) = named {
        class.extend([vendor(), (integer(2), text(named))]);
    }
    let values = [(integer(-83), list(vec![digest(7, mrseam)]))];
    let environment = map([(integer(0), map_of(class))]);
    list(vec![environment, list(vec![measurement(None, values)])])
}

pub(crate) fn enclave(values: Vec<(Value, Value)>) -> Value {
    let class = (
        integer(0),
        tag(111, bytes(&[&INTEL[..], &ENCLAVE].concat())),
    );
    triple([class], vec![map([(integer(1), map_of(values))])])
}

pub(crate) fn expression(operator: i128, digests: Vec<Value>) -> Value {
    tag(60020, list(vec![integer(operator), list(digests)]))
}

pub(crate) fn vendor() -> (Value, Value) {
    (integer(1), text("Intel Corporation"))
}

pub(crate) fn model() -> (Value, Value) {
    (integer(2), text("TDX TD"))
}

pub(crate) fn map_of(entries: Vec<(Value, Value)>) -> Value {
    Value::Map(entries)
}
