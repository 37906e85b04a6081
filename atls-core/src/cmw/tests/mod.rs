mod refusals;

use proptest::prelude::*;

use super::*;
use crate::limits::MAX_CMW;
use crate::limits::MAX_CMW_LABEL;
use crate::media_type::MediaType;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn media(text: &str) -> MediaType {
    text.parse().unwrap()
}

/// RFC 9999's examples.
const RECORD: &str = "82 19fde7 44 2347da55";
const JSON: &str = r#"["application/vnd.example.rats-conceptual-msg","I0faVQ"]"#;

#[test]
fn reads_the_examples_of_the_standard() {
    let record = Cmw::decode(&hex(RECORD)).unwrap();
    let [item] = &record.items()[..] else {
        panic!("one item expected");
    };
    assert_eq!(item.kind(), &Type::ContentFormat(64_999));
    assert_eq!(item.value(), [0x23, 0x47, 0xda, 0x55]);
    assert_eq!((item.indicator(), item.media_type()), (None, None));
    assert_eq!(record.encode().unwrap(), hex(RECORD));

    let json = Cmw::decode(JSON.as_bytes()).unwrap();
    assert_eq!(json.items()[0].value(), [0x23, 0x47, 0xda, 0x55]);
    assert_eq!(json.to_json().unwrap(), JSON.as_bytes());

    let rim = hex("83 74 6170706c69636174696f6e2f72696d2b636f7365 4a d28440a044d901f5a040 03");
    let cmw = Cmw::decode(&rim).unwrap();
    assert_eq!(cmw.items()[0].indicator().unwrap().bits(), 3);
    assert_eq!(cmw.encode().unwrap(), rim);
}

#[test]
fn a_tag_names_its_content_format() {
    let tag = Cmw::tag(64_999, vec![0x23, 0x47, 0xda, 0x55]);
    let bytes = tag.encode().unwrap();
    assert_eq!(bytes, hex("da 6374ffe6 44 2347da55"));
    assert_eq!(Cmw::decode(&bytes).unwrap(), tag);
    assert_eq!(
        Cmw::tag(u16::MAX, vec![1]).encode(),
        Err(CmwError::TagNumber)
    );
}

#[test]
fn a_collection_is_flattened_with_its_labels() {
    let cmw = composite();
    let items = cmw.items();
    let labels: Vec<_> = items.iter().map(Item::label).collect();
    assert_eq!(labels, ["0", "gpu", "inner/1"]);
    assert_eq!(
        cmw.collection_type(),
        Some("tag:example.com,2024:composite-attester")
    );
    assert_eq!(
        Cmw::decode(&cmw.encode().unwrap()).unwrap().items().len(),
        3
    );
}

#[test]
fn no_two_ways_to_an_item_are_written_alike() {
    let record = || Cmw::evidence(media("a/b"), vec![1]);
    let within = |label: Label, inner: Cmw| Cmw::collection(None, vec![(label, inner)]).unwrap();
    let ways = [
        (within("a/b".into(), record()), "a~1b"),
        (within("a".into(), within("b".into(), record())), "a/b"),
        (within("a~1b".into(), record()), "a~01b"),
        (within(Label::Integer(1), record()), "1"),
        (within("1".into(), record()), "~21"),
        (within(Label::Integer(-7), record()), "-7"),
        (within("-7".into(), record()), "~2-7"),
        (within("~21".into(), record()), "~021"),
        (within("".into(), record()), "~2"),
        (within("".into(), within("".into(), record())), "~2/~2"),
        (record(), ""),
    ];
    for (cmw, label) in ways {
        assert_eq!(cmw.items()[0].label(), label);
    }
}

#[test]
fn the_type_of_a_collection_is_a_uri_or_an_oid() {
    let typed = |kind: &str| {
        let made = Cmw::collection(
            Some(kind.to_owned()),
            vec![("a".into(), { Cmw::evidence(media("a/b"), vec![1]) })],
        );
        let json = serde_json::json!({ "__cmwc_t": kind, "a": ["a/b", "AA"] }).to_string();
        assert_eq!(made.is_ok(), Cmw::decode(json.as_bytes()).is_ok(), "{kind}");
        let kind = ciborium::Value::from(kind);
        let record = ciborium::Value::Array(vec![1.into(), vec![0_u8].into()]);
        let map = vec![("__cmwc_t".into(), kind), ("a".into(), record)];
        let mut cbor = Vec::new();
        ciborium::into_writer(&ciborium::Value::Map(map), &mut cbor).unwrap();
        assert_eq!(made.is_ok(), Cmw::decode(&cbor).is_ok(), "{cbor:x?}");
        made.map(drop)
    };
    for kind in [
        "tag:example.com,2024:composite-attester",
        "https://example.com/x?y#z",
        "urn:ietf:rfc:9999",
        "a+b-c.1:d",
        "1.3.6.1.4.1.4128.1",
        "2.999",
        "0.0",
    ] {
        assert_eq!(typed(kind), Ok(()), "{kind}");
    }
    for kind in [
        "",
        "composite",
        "tag:",
        ":x",
        "1a:x",
        "a b:x",
        "tag:a b",
        "tag:a\u{0}",
        "tag:a\n",
        "tag:ä",
        "tag:<a>",
        "1",
        "3.1",
        "1..2",
        "1.2.",
        ".1.2",
        "1.02",
        "1.2x",
        "1.-2",
    ] {
        assert_eq!(typed(kind), Err(CmwError::CollectionType), "{kind:?}");
    }
}

#[test]
fn indicators_are_compared_whole() {
    let says = |bits: u32| {
        let indicator = Indicator::from_bits(bits).unwrap();
        let cmw = Cmw::record(Type::Media(media("a/b")), vec![0], Some(indicator));
        let items = cmw.items();
        let item = &items[0];
        (
            item.is_evidence(),
            item.is_attestation_results(),
            item.is_endorsements_only(),
        )
    };
    assert_eq!(says(4), (true, false, false));
    assert_eq!(says(8), (false, true, false));
    assert_eq!(says(2), (false, false, true));
    assert_eq!(says(6), (false, false, false));
    assert_eq!(says(12), (false, false, false));
    assert_eq!(Indicator::from_bits(0), Err(CmwError::Indicator));
}

#[test]
fn content_formats_of_rats_have_media_types() {
    let cmw = Cmw::record(Type::ContentFormat(263), vec![1], None);
    assert_eq!(
        cmw.items()[0].media_type(),
        Some(media("application/eat+cwt"))
    );
}

#[test]
fn indefinite_lengths_are_read() {
    assert_eq!(
        Cmw::decode(&hex("9f 19fde7 44 2347da55 ff"))
            .unwrap()
            .encode()
            .unwrap(),
        hex(RECORD)
    );
    let collection = hex("bf 00 82 19fde7 44 2347da55 ff");
    assert_eq!(Cmw::decode(&collection).unwrap().encode().unwrap()[0], 0xa1);
}

fn composite() -> Cmw {
    let inner = Cmw::collection(None, vec![(Label::Integer(1), Cmw::tag(64_999, vec![1]))]);
    let members = vec![
        (
            Label::Integer(0),
            Cmw::record(Type::ContentFormat(64_999), vec![2], None),
        ),
        (
            Label::from("gpu"),
            Cmw::evidence(media("application/eat+jwt"), vec![3]),
        ),
        (Label::from("inner"), inner.unwrap()),
    ];
    let kind = "tag:example.com,2024:composite-attester".to_owned();
    Cmw::collection(Some(kind), members).unwrap()
}

fn json_composite() -> Cmw {
    let members = vec![
        (
            Label::from("cpu"),
            Cmw::evidence(media("application/eat+jwt"), vec![3]),
        ),
        (
            Label::from("result"),
            Cmw::attestation_results(media("a/b"), vec![4]),
        ),
    ];
    Cmw::collection(None, members).unwrap()
}

fn any_record() -> impl Strategy<Value = Cmw> {
    let kind = prop_oneof![
        any::<u16>().prop_map(Type::ContentFormat),
        "[a-z]{1,9}/[a-z]{1,9}(; [a-z]{1,3}=\"[ -~&&[^\"\\\\]]{0,9}\")?"
            .prop_map(|text| Type::Media(media(&text))),
    ];
    let indicator =
        proptest::option::of((1..=u32::MAX).prop_map(|bits| Indicator::from_bits(bits).unwrap()));
    let value = proptest::collection::vec(any::<u8>(), 0..64);
    (kind, value, indicator)
        .prop_map(|(kind, value, indicator)| Cmw::record(kind, value, indicator))
}

fn any_cmw() -> impl Strategy<Value = Cmw> {
    let leaf = prop_oneof![
        any_record(),
        (
            0..=65_024_u16,
            proptest::collection::vec(any::<u8>(), 0..64)
        )
            .prop_map(|(format, value)| Cmw::tag(format, value)),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let label = prop_oneof![
            any::<i64>().prop_map(Label::Integer),
            "[a-z]{1,8}".prop_map(Label::Text)
        ];
        (
            proptest::option::of("tag:[a-z:]{1,9}"),
            proptest::collection::vec((label, inner), 1..3),
        )
            .prop_filter_map("repeated labels", |(kind, members)| {
                Cmw::collection(kind, members).ok()
            })
    })
}

proptest! {
    #[test]
    fn survives_the_wire(cmw in any_cmw()) {
        let bytes = cmw.encode().unwrap();
        let decoded = Cmw::decode(&bytes).unwrap();
        // Encoding sorts, so the second writing is the same to the byte.
        prop_assert_eq!(decoded.encode().unwrap(), bytes);
        prop_assert_eq!(decoded.items().len(), cmw.items().len());
        if let Ok(json) = cmw.to_json() {
            let decoded = Cmw::decode(&json).unwrap();
            prop_assert_eq!(decoded.to_json().unwrap(), json);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(start in 0x80_u8..=0xff, bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = Cmw::decode(&[&[start], &bytes[..]].concat());
    }
}
