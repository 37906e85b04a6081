//! No report costs much more memory than its length.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_formats::SnpReport;
use atls_formats::TdQuote;
use atls_formats::TsmReport;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 60_000;
    let mut findings = Findings::new();
    let bound = Bound {
        per_byte: 4,
        constant: 32 * 1024,
    };
    let mut inputs = hostile::cbor(LENGTH);
    for field in ["outblob", "auxblob", "provider"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("report of configfs-tsm", bound, &inputs, TsmReport::read);
    let zeros = [Hostile::new("zeros", vec![0; LENGTH])];
    findings.check("SNP report", bound, &zeros, |octets| {
        SnpReport::read(octets).is_some()
    });
    findings.check("TD quote", bound, &zeros, |octets| {
        TdQuote::read(octets).is_some()
    });
    findings.assert_none();
}
