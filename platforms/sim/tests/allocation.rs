//! No token costs much more memory than its length.
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
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use test_support::Connection;
use test_support::at;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 60_000;
    let verifier = SimVerifier::new(SimAttester::generate().unwrap().trust_anchor());
    let connection = Connection::new();
    let byte_string = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x59][..], &length, bytes].concat()
    };
    let framed = |protected: &[u8], unprotected: &[u8]| {
        [
            &[0xd2, 0x84][..],
            &byte_string(protected),
            unprotected,
            &[0x41, 0xa0, 0x40],
        ]
        .concat()
    };
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(item, &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&[0xa1, 0x01, 0x26], &[&[0xa1, 0x18, 0x21], item].concat())
    }));
    for Hostile { name, bytes, .. } in hostile::countersigned(LENGTH) {
        let inside = framed(&bytes, &[0xa0]);
        let outside = framed(&[0xa1, 0x01, 0x26], &bytes);
        inputs.extend([inside, outside].map(|token| Hostile::new(&name, token)));
    }
    let mut findings = Findings::new();
    let bound = Bound {
        per_byte: 2,
        constant: 8 * 1024,
    };
    findings.check("token", bound, &inputs, |token| {
        connection
            .appraise(&verifier, token, at(1_800_000_000))
            .map(drop)
    });
    findings.assert_none();
}
