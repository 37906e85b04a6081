//! `cmw.json`: §5

mod refused;

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
use crate::cmw::refused::refused_cbor;
use crate::cmw::refused::refused_json;

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

pub(crate) fn item(
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
pub(crate) const VALUE: &[u8] = &[0xde, 0xad, 0xbe, 0xef];

pub(crate) const TYPE: &str = "application/x-evidence";

const RESULTS: &str = "application/eat+jwt";

/// The encoding of a record, for other files.
pub(crate) fn record(media_type: &str, value: &[u8]) -> Vec<u8> {
    array(&[text(media_type), bytes(value), uint(4)])
}
