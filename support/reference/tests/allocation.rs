//! A file of reference values and a CoRIM cost memory in proportion to their length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::pki_types::UnixTime;
use atls_reference::Format;
use atls_reference::MAX_TOML_MARKS;
use atls_reference::corim;
use atls_reference::tables;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 200_000;
    let mut findings = Findings::new();
    let inputs = hostile::within(hostile::json(LENGTH), |value| {
        [b"{\"version\":1,\"snp\":", value, b"}"].concat()
    });
    findings.check("JSON", BOUND, &inputs, |text| {
        tables(std::str::from_utf8(text).unwrap(), Format::Json)
    });
    let toml = toml_files();
    findings.check("TOML", TOML, &toml, |text| {
        tables(std::str::from_utf8(text).unwrap(), Format::Toml)
    });

    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_000_000));
    let mut inputs = hostile::cbor(LENGTH);
    // Tag 501, an identifier, and a list of tags.
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        [&[0xd9, 0x01, 0xf5, 0xa2, 0x00, 0x61, b'a', 0x01], item].concat()
    }));
    // COSE_Sign1 of such an empty document.
    inputs.extend(hostile::within(hostile::countersigned(60_000), |header| {
        let length = u16::try_from(header.len()).unwrap().to_be_bytes();
        [
            &[0xd2, 0x84, 0x59][..],
            &length,
            header,
            &[0xa0, 0x41, 0xa0, 0x40],
        ]
        .concat()
    }));
    inputs.extend(hostile::within(hostile::countersigned(60_000), |header| {
        [
            &[0xd2, 0x84, 0x43, 0xa1, 0x01, 0x26][..],
            header,
            &[0x41, 0xa0, 0x40],
        ]
        .concat()
    }));
    findings.check("CoRIM", CORIM, &inputs, |bytes| corim::unsigned(bytes, now));
    findings.assert_none();
}

/// Some with too many marks, others with just as many as may be.
fn toml_files() -> Vec<Hostile> {
    let of = |length: usize| {
        let filled = move |start: &str, piece: &str, end: &str| {
            hostile::filled(length, start.as_bytes(), piece.as_bytes(), end.as_bytes())
        };
        [
            Hostile::new("an array", filled("version = 1\na = [", "0,", "0]\n")),
            Hostile::new("nested arrays", filled("a = ", "[", "")),
            Hostile::new("tables of tables", filled("", "[[a]]\n", "")),
            Hostile::new("dotted names", filled("", "a.", "a = 1\n")),
            Hostile::new("inline tables", filled("a = [", "{a=0},", "{}]\n")),
            Hostile::new("a long text", filled("a = \"", "a", "\"\n")),
            Hostile::new("escapes", filled("a = \"", "\\n", "\"\n")),
            Hostile::new("repeated names", filled("", "a = 1\n", "")),
            Hostile::new("empty lines", filled("", "\n", "version = 1")),
            Hostile::new("comments", filled("", "#\n", "version = 1")),
            Hostile::new("spaces and lines", filled("", " \n", "version = 1")),
            Hostile::new("a long comment", filled("#", "a", "\n")),
        ]
    };
    [400_000, 148_000, 49_000]
        .map(of)
        .into_iter()
        .flatten()
        .collect()
}

const BOUND: Bound = Bound {
    per_byte: 8,
    constant: 64 * 1024,
};

/// The reader keeps a tree with every place in the text.
const TOML: Bound = Bound {
    per_byte: 8,
    constant: MAX_TOML_MARKS * 512,
};

/// At most 100,000 values, for each of which the library keeps some 70 bytes.
const CORIM: Bound = Bound {
    constant: 100_000 * 128,
    ..BOUND
};
