//! CMWs that must be refused.
//!
//! The file is longer than others: it is one list of cases, and each is read beside its neighbours.

use crate::cbor::array;
use crate::cbor::bytes;
use crate::cbor::map;
use crate::cbor::tag;
use crate::cbor::text;
use crate::cbor::uint;
use crate::cmw::Refused;
use crate::cmw::TYPE;
use crate::cmw::VALUE;

pub(crate) fn refused_cbor() -> Vec<Refused> {
    let record = array(&[text(TYPE), bytes(VALUE), uint(4)]);
    let with_indicator = |indicator: &[u8]| array(&[text(TYPE), bytes(VALUE), indicator.to_vec()]);
    let under = |label: Vec<u8>| map(&[(label, record.clone())]);
    let named = |number: usize| (text(&format!("item {number}")), record.clone());
    let mut deep = record.clone();
    for _ in 0..5 {
        deep = map(&[(text("in"), deep)]);
    }
    let many: Vec<_> = (0..9).map(named).collect();
    // 8 collections of 8 members: more values than 8 items can have.
    let crowded = map(&vec![
        (
            text("a"),
            map(&vec![(text("b"), record.clone()); 20])
        );
        8
    ]);
    let kind = |kind: &str| {
        map(&[
            (text("__cmwc_t"), text(kind)),
            (text("cpu"), record.clone()),
        ])
    };
    let cases: Vec<(&str, &str, &str, Vec<u8>)> = vec![
        (
            "no bytes",
            "cmw-malformed",
            "there is no message",
            Vec::new(),
        ),
        (
            "a text",
            "cmw-malformed",
            "a CMW is an array, a tag or a map",
            text("evidence"),
        ),
        (
            "cut",
            "cmw-malformed",
            "the record ends early",
            record[..record.len() - 1].to_vec(),
        ),
        (
            "a byte after it",
            "cmw-malformed",
            "nothing stands after the message",
            [&record[..], &[0]].concat(),
        ),
        (
            "a long head",
            "cmw-malformed",
            "the first byte of a record is 0x82, 0x83 or 0x9f",
            [&[0x98, 3][..], &record[1..]].concat(),
        ),
        (
            "one field",
            "cmw-malformed",
            "a record has type and value",
            [&[0x9f][..], &text(TYPE), &[0xff]].concat(),
        ),
        (
            "four fields",
            "cmw-malformed",
            "a record has three fields at most",
            [&[0x9f][..], &record[1..], &uint(0), &[0xff]].concat(),
        ),
        (
            "a value of text",
            "cmw-malformed",
            "the value is a byte string",
            array(&[text(TYPE), text("evidence")]),
        ),
        (
            "a type that is none",
            "cmw-media-type",
            "the type is a media type",
            array(&[text("evidence"), bytes(VALUE)]),
        ),
        (
            "a type of bytes",
            "cmw-malformed",
            "the type is a text or a number",
            array(&[bytes(TYPE.as_bytes()), bytes(VALUE)]),
        ),
        (
            "a Content-Format of three bytes",
            "cmw-malformed",
            "a Content-Format has 16 bits",
            array(&[uint(65_536), bytes(VALUE)]),
        ),
        (
            "indicator 0",
            "cmw-indicator",
            "a message is of one kind at least",
            with_indicator(&uint(0)),
        ),
        (
            "an indicator of 33 bits",
            "cmw-indicator",
            "an indicator has 32 bits",
            with_indicator(&uint(1 << 32)),
        ),
        (
            "a negative indicator",
            "cmw-indicator",
            "an indicator is no negative number",
            with_indicator(&[0x20]),
        ),
        (
            "an indicator of text",
            "cmw-malformed",
            "an indicator is a number",
            with_indicator(&text("4")),
        ),
        (
            "an indicator as a bignum",
            "cmw-malformed",
            "integers are no bignums",
            with_indicator(&tag(2, &bytes(&[4]))),
        ),
        (
            "a tag of no Content-Format",
            "cmw-tag-number",
            "RFC 9277 §4.3: the last byte is not 0",
            tag(0x6374_0100, &bytes(VALUE)),
        ),
        (
            "a tag of another registry",
            "cmw-tag-number",
            "RFC 9277 §4.3: the tag begins with 0x6374",
            tag(0x6375_0101, &bytes(VALUE)),
        ),
        (
            "a tag around a record",
            "cmw-malformed",
            "a tag is around a byte string",
            tag(0x6374_0101, &record),
        ),
        (
            "a collection of nothing",
            "cmw-malformed",
            "the first byte of a collection is 0xa1 to 0xbb or 0xbf",
            vec![0xa0],
        ),
        (
            "a collection of nothing, without length",
            "cmw-empty",
            "a collection has a member",
            vec![0xbf, 0xff],
        ),
        (
            "a collection of its type alone",
            "cmw-empty",
            "the type is no member",
            map(&[(text("__cmwc_t"), text("tag:example.com,2026:two"))]),
        ),
        (
            "a type of a collection that is neither URI nor OID",
            "cmw-collection-type",
            "the type of a collection is a URI or an OID",
            kind("two"),
        ),
        (
            "an OID whose arc begins with 0",
            "cmw-collection-type",
            "an arc has no leading zeros",
            kind("1.02"),
        ),
        (
            "a type of a collection twice",
            "cmw-repeated-label",
            "a label stands once",
            map(&[
                (text("__cmwc_t"), text("1.2")),
                (text("__cmwc_t"), text("1.2")),
                (text("cpu"), record.clone()),
            ]),
        ),
        (
            "a label twice",
            "cmw-repeated-label",
            "a label stands once",
            map(&[(text("cpu"), record.clone()), (text("cpu"), record.clone())]),
        ),
        (
            "a label of 129 bytes",
            "cmw-long-label",
            "a text label has at most 128 bytes",
            under(text(&"x".repeat(129))),
        ),
        (
            "a label of bytes",
            "cmw-malformed",
            "a label is a number or a text",
            under(bytes(b"cpu")),
        ),
        (
            "5 collections deep",
            "cmw-too-deep",
            "at most 4 collections deep",
            deep,
        ),
        ("9 items", "cmw-too-many", "at most 8 items", map(&many)),
        (
            "more than 256 values",
            "cmw-too-many",
            "at most 256 values",
            crowded,
        ),
    ];
    let refused = |(name, reason, because, cmw): (&str, &str, &str, Vec<u8>)| Refused {
        name: name.to_owned(),
        reason: reason.to_owned(),
        because: because.to_owned(),
        json: None,
        cmw: cmw.into(),
    };
    cases.into_iter().map(refused).collect()
}

pub(crate) fn refused_json() -> Vec<Refused> {
    let cases = [
        (
            "JSON: padded",
            "cmw-malformed",
            "base64url has no padding",
            r#"["application/x-evidence","3q2-7w==",4]"#,
        ),
        (
            "JSON: the other alphabet",
            "cmw-malformed",
            "base64url has - and _",
            r#"["application/x-evidence","3q2+7w",4]"#,
        ),
        (
            "JSON: white space before it",
            "cmw-malformed",
            "the first byte is [ or {",
            r#" ["application/x-evidence","3q2-7w",4]"#,
        ),
        (
            "JSON: a byte after it",
            "cmw-malformed",
            "nothing stands after the message",
            r#"["application/x-evidence","3q2-7w",4]]"#,
        ),
        (
            "JSON: an indicator with a fraction",
            "cmw-malformed",
            "an indicator is an integer",
            r#"["application/x-evidence","3q2-7w",4.0]"#,
        ),
        (
            "JSON: indicator 0",
            "cmw-indicator",
            "a message is of one kind at least",
            r#"["application/x-evidence","3q2-7w",0]"#,
        ),
        (
            "JSON: a Content-Format",
            "cmw-malformed",
            "JSON has media types alone",
            r#"[263,"3q2-7w"]"#,
        ),
        (
            "JSON: a label twice",
            "cmw-repeated-label",
            "a label stands once",
            r#"{"cpu":["a/b",""],"cpu":["a/b",""]}"#,
        ),
        (
            "JSON: a collection of nothing",
            "cmw-empty",
            "a collection has a member",
            "{}",
        ),
        (
            "JSON: a private object in place of a CMW",
            "cmw-malformed",
            "members are records or collections",
            r#"{"evidence":"3q2-7w","platform":"snp"}"#,
        ),
    ];
    let refused = |(name, reason, because, json): (&str, &str, &str, &str)| Refused {
        name: name.to_owned(),
        reason: reason.to_owned(),
        because: because.to_owned(),
        json: Some(json.to_owned()),
        cmw: json.as_bytes().into(),
    };
    cases.into_iter().map(refused).collect()
}
