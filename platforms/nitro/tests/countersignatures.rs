//! A document that is signed by nobody does not abort the process.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use allocation::hostile;
use allocation::on_small_stack;
use atls_nitro::testing::parse;

/// As in the test of `atls-core` of this name, in the unprotected header.
#[test]
fn nested_countersignatures_do_not_overflow_the_stack() {
    for length in [100, 4000, 15_000] {
        for header in hostile::countersigned(length) {
            let start = [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22];
            let end = [&[0x41, 0xa0, 0x58, 96][..], &[0; 96]].concat();
            let document = [&start[..], &header.bytes, &end].concat();
            let read = on_small_stack(&header.name, || parse(&document).is_ok());
            assert!(!read, "{}", header.name);
        }
    }
}
