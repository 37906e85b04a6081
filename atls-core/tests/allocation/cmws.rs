//! CMWs of both encodings.

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::cmw::Cmw;
use atls_core::limits::MAX_CMW;

pub(crate) fn cmw(findings: &mut Findings) {
    const LENGTH: usize = MAX_CMW;
    let member = |within: usize| hostile::cbor(LENGTH - within);
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::json(LENGTH));
    // As a member of a collection, as a field of a record, under a tag.
    inputs.extend(hostile::within(member(3), |item| {
        [&[0xa1, 0x61, b'a'], item].concat()
    }));
    inputs.extend(hostile::within(member(5), |item| {
        [&[0x83, 0x63, b'a', b'/', b'b'], item].concat()
    }));
    inputs.extend(hostile::within(member(5), |item| {
        [&[0xda, 0x63, 0x74, 0x01, 0x01], item].concat()
    }));
    inputs.extend(hostile::within(hostile::json(LENGTH - 6), |value| {
        [b"{\"a\":", value, b"}"].concat()
    }));
    inputs.extend([
        Hostile::new("one label above 512 records", labelled_records(60_000, 512)),
        Hostile::new("one label above 8 records", labelled_records(60_000, 8)),
        Hostile::new("8 long labels", long_labels()),
    ]);
    let bound = Bound {
        per_byte: 4,
        constant: 64 * 1024,
    };
    findings.check("CMW", bound, &inputs, |input| {
        Cmw::decode(input).inspect(|cmw| {
            let _ = cmw.items().len();
        })
    });
}

/// A label of `~`, and a collection of so many records under it.
fn labelled_records(label: u16, records: u16) -> Vec<u8> {
    let mut cmw = vec![0xa1, 0x79];
    cmw.extend(label.to_be_bytes());
    cmw.extend(vec![b'~'; label.into()]);
    cmw.push(0xb9);
    cmw.extend(records.to_be_bytes());
    for index in 0..records {
        cmw.push(0x19);
        cmw.extend(index.to_be_bytes());
        // [0, h'']
        cmw.extend([0x82, 0x00, 0x40]);
    }
    cmw
}

fn long_labels() -> Vec<u8> {
    let mut cmw = vec![0xa8];
    for index in b'a'..=b'h' {
        cmw.extend([0x79, 0x1f, 0x00, index]);
        cmw.extend([b'~'; 0x1f00 - 1]);
        cmw.extend([0x82, 0x00, 0x40]);
    }
    cmw
}
