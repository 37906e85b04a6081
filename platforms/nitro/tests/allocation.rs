//! No document costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_nitro::testing::parse;
use atls_nitro::testing::parse_content;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 16_000;
    let mut findings = Findings::new();
    let byte_string = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x59][..], &length, bytes].concat()
    };
    let framed = |protected: &[u8], unprotected: &[u8], payload: &[u8]| {
        let signature = byte_string(&[0; 96]);
        let parts = [protected, unprotected, &byte_string(payload), &signature];
        [&[0x84][..], &parts.concat()].concat()
    };
    let protected = [0x44, 0xa1, 0x01, 0x38, 0x22];
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&byte_string(item), &[0xa0], &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(
            &protected,
            &[&[0xa1, 0x18, 0x21][..], item].concat(),
            &[0xa0],
        )
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&protected, &[0xa0], item)
    }));
    for Hostile { name, bytes, .. } in hostile::countersigned(LENGTH) {
        let inside = framed(&byte_string(&bytes), &[0xa0], &[0xa0]);
        let outside = framed(&protected, &bytes, &[0xa0]);
        inputs.extend([inside, outside].map(|document| Hostile::new(&name, document)));
    }
    findings.check("document", BOUND, &inputs, parse);

    let mut inputs = hostile::cbor(LENGTH);
    for field in ["pcrs", "cabundle", "module_id", "other"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("content of a document", BOUND, &inputs, parse_content);
    findings.assert_none();
}

const BOUND: Bound = Bound {
    per_byte: 8,
    constant: 32 * 1024,
};
