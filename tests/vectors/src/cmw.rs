//! `cmw.json`: §5

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use crate::Hex;

use crate::cbor::array;
use crate::cbor::bytes;
use crate::cbor::map;
use crate::cbor::tag;
use crate::cbor::text;
use crate::cbor::uint;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub cases: Vec<Case>,
    pub refused: Vec<Refused>,
}

#[derive(Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    /// The bytes of JSON, for the eye.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    pub cmw: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection_type: Option<String>,
    pub items: Vec<Item>,
    /// The same message in deterministic CBOR.
    pub deterministic: Hex,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Item {
    /// The labels on the way to it: numbers or texts.
    pub path: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_format: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indicator: Option<u32>,
    pub evidence: bool,
    pub attestation_results: bool,
    pub endorsements: bool,
    pub value: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
    pub because: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    pub cmw: Hex,
}

pub fn page() -> Page {
    Page {
        about: "Conceptual Message Wrappers (RFC 9999): cmw_data, in CBOR and in JSON.".to_owned(),
        section: "§5".to_owned(),
        cases: in_cbor().into_iter().chain(in_json()).collect(),
        refused: refused_cbor().into_iter().chain(refused_json()).collect(),
    }
}

fn in_cbor() -> Vec<Case> {
    let record = array(&[text(TYPE), bytes(VALUE), uint(4)]);
    let bare = array(&[text(TYPE), bytes(VALUE)]);
    let by_number = array(&[uint(263), bytes(VALUE), uint(4)]);
    let unknown_number = array(&[uint(65_000), bytes(VALUE)]);
    let results = array(&[text(RESULTS), bytes(b"a.b.c"), uint(8)]);
    let mixed = array(&[text(TYPE), bytes(VALUE), uint(12)]);
    let endorsements = array(&[text("application/x-collateral"), bytes(&[1]), uint(2)]);
    // Content-Format 263 is 1 × 255 + 8: RFC 9277 §4.3.
    let tagged = tag(0x6374_0101 + 256 + 8, &bytes(VALUE));
    let pair = map(&[
        (text("cpu"), record.clone()),
        (text("certificates"), endorsements.clone()),
    ]);
    let typed = map(&[
        (text("gpu"), bare.clone()),
        (text("__cmwc_t"), text("tag:example.com,2026:two")),
        (uint(3), map(&[(vec![0x20], tagged.clone())])),
    ]);
    let typed_sorted = map(&[
        (uint(3), map(&[(vec![0x20], tagged.clone())])),
        (text("gpu"), bare.clone()),
        (text("__cmwc_t"), text("tag:example.com,2026:two")),
    ]);
    let endless = [&[0x9f][..], &record[1..], &[0xff]].concat();
    let indented = [&[0xbf][..], &text("cpu"), &record, &[0xff]].concat();
    let of_type = |path: Vec<Value>, indicator| item(path, Some(TYPE), None, indicator, VALUE);
    let numbered = |path: Vec<Value>, number, indicator| {
        let media_type = (number == 263).then_some("application/eat+cwt");
        item(path, media_type, Some(number), indicator, VALUE)
    };
    let certificates = item(
        vec![json!("certificates")],
        Some("application/x-collateral"),
        None,
        Some(2),
        &[1],
    );
    vec![
        case(
            "a record of Evidence",
            &record,
            vec![of_type(vec![], Some(4))],
            &record,
        ),
        case(
            "a record without indicator",
            &bare,
            vec![of_type(vec![], None)],
            &bare,
        ),
        case(
            "a record with a Content-Format",
            &by_number,
            vec![numbered(vec![], 263, Some(4))],
            &by_number,
        ),
        case(
            "a record with a Content-Format that is not registered",
            &unknown_number,
            vec![numbered(vec![], 65_000, None)],
            &unknown_number,
        ),
        case(
            "a record of Attestation Results",
            &results,
            vec![item(vec![], Some(RESULTS), None, Some(8), b"a.b.c")],
            &results,
        ),
        case(
            "a record with a mixed indicator, which is neither",
            &mixed,
            vec![of_type(vec![], Some(12))],
            &mixed,
        ),
        case(
            "a record whose array has no length",
            &endless,
            vec![of_type(vec![], Some(4))],
            &record,
        ),
        case("a tag", &tagged, vec![numbered(vec![], 263, None)], &tagged),
        case(
            "a collection of Evidence and Endorsements",
            &pair,
            vec![of_type(vec![json!("cpu")], Some(4)), certificates],
            &pair,
        ),
        case(
            "a collection whose map has no length",
            &indented,
            vec![of_type(vec![json!("cpu")], Some(4))],
            &map(&[(text("cpu"), record.clone())]),
        ),
        Case {
            collection_type: Some("tag:example.com,2026:two".to_owned()),
            ..case(
                "a collection with a type, in a collection",
                &typed,
                vec![
                    of_type(vec![json!("gpu")], None),
                    numbered(vec![json!(3), json!(-1)], 263, None),
                ],
                &typed_sorted,
            )
        },
    ]
}

fn in_json() -> Vec<Case> {
    let record = array(&[text(TYPE), bytes(VALUE), uint(4)]);
    let bare = array(&[text(TYPE), bytes(VALUE)]);
    let of_type = |path: Vec<Value>, indicator| item(path, Some(TYPE), None, indicator, VALUE);
    let plain = r#"["application/x-evidence","3q2-7w",4]"#;
    let spaced = "[ \"application/x-evidence\",\n  \"3q2-7w\" ]";
    let collection = r#"{"__cmwc_t":"1.2.3","cpu":["application/x-evidence","3q2-7w",4],"more":{"gpu":["application/x-evidence","3q2-7w"]}}"#;
    let sorted = map(&[
        (text("cpu"), record.clone()),
        (text("more"), map(&[(text("gpu"), bare.clone())])),
        (text("__cmwc_t"), text("1.2.3")),
    ]);
    let case = |name, json: &str, items, deterministic: &[u8]| Case {
        json: Some(json.to_owned()),
        ..case(name, json.as_bytes(), items, deterministic)
    };
    vec![
        case(
            "JSON: a record of Evidence",
            plain,
            vec![of_type(vec![], Some(4))],
            &record,
        ),
        case(
            "JSON: a record with white space and without indicator",
            spaced,
            vec![of_type(vec![], None)],
            &bare,
        ),
        Case {
            collection_type: Some("1.2.3".to_owned()),
            ..case(
                "JSON: a collection with a type, in a collection",
                collection,
                vec![
                    of_type(vec![json!("cpu")], Some(4)),
                    of_type(vec![json!("more"), json!("gpu")], None),
                ],
                &sorted,
            )
        },
    ]
}

fn refused_cbor() -> Vec<Refused> {
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

fn refused_json() -> Vec<Refused> {
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

fn case(name: &str, cmw: &[u8], items: Vec<Item>, deterministic: &[u8]) -> Case {
    Case {
        name: name.to_owned(),
        json: None,
        cmw: cmw.into(),
        collection_type: None,
        items,
        deterministic: deterministic.into(),
    }
}

fn item(
    path: Vec<Value>,
    media_type: Option<&str>,
    content_format: Option<u16>,
    indicator: Option<u32>,
    value: &[u8],
) -> Item {
    Item {
        path,
        media_type: media_type.map(str::to_owned),
        content_format,
        indicator,
        evidence: indicator.is_none_or(|indicator| indicator == 4),
        attestation_results: indicator.is_none_or(|indicator| indicator == 8),
        endorsements: indicator == Some(2),
        value: value.into(),
    }
}

/// `3q2-7w` in base64url.
const VALUE: &[u8] = &[0xde, 0xad, 0xbe, 0xef];
const TYPE: &str = "application/x-evidence";
const RESULTS: &str = "application/eat+jwt";

/// The encoding of a record, for other files.
pub(crate) fn record(media_type: &str, value: &[u8]) -> Vec<u8> {
    array(&[text(media_type), bytes(value), uint(4)])
}
