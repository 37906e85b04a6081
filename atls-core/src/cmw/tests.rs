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

#[test]
fn refuses_in_cbor_what_is_no_wrapper() {
    for (bytes, error) in [
        ("", CmwError::Malformed),
        ("00", CmwError::Malformed),
        ("80", CmwError::Malformed),
        ("81 19fde7", CmwError::Malformed),
        ("84 19fde7 40 04 04", CmwError::Malformed),
        ("82 19fde7 44 2347da55 00", CmwError::Malformed),
        ("82 19fde7 60", CmwError::Malformed),
        ("82 1a00010000 40", CmwError::Malformed),
        ("82 20 40", CmwError::Malformed),
        ("82 63 612f 40", CmwError::Malformed),
        ("82 62 6162 40", CmwError::MediaType),
        ("83 19fde7 40 00", CmwError::Indicator),
        ("83 19fde7 40 1b0000000100000000", CmwError::Indicator),
        ("83 19fde7 40 20", CmwError::Indicator),
        ("83 19fde7 40 61 34", CmwError::Malformed),
        // Bignums: type, indicator, label, tag within a collection's record.
        ("82 c242fde7 44 2347da55", CmwError::Malformed),
        ("83 19fde7 40 c24104", CmwError::Malformed),
        ("a1 c24100 82 1903e7 40", CmwError::Malformed),
        ("a1 00 83 1903e7 40 c2420004", CmwError::Malformed),
        ("a1 c34100 82 1903e7 40", CmwError::Malformed),
        ("a0", CmwError::Malformed),
        ("bf ff", CmwError::Empty),
        ("a1 68 5f5f636d77635f74 61 61", CmwError::Empty),
        ("a1 68 5f5f636d77635f74 01", CmwError::Malformed),
        ("a2 00 821903e740 00 821903e740", CmwError::RepeatedLabel),
        // The same integer in two encodings is the same label.
        ("a2 00 821903e740 1800 821903e740", CmwError::RepeatedLabel),
        ("a1 40 821903e740", CmwError::Malformed),
        ("a1 00 40", CmwError::Malformed),
        ("da 63740101 60", CmwError::Malformed),
        ("da 63740200 41 00", CmwError::TagNumber),
        ("da 00000012 41 00", CmwError::TagNumber),
        // A claim of 4 GiB, and of 2^64-1 bytes.
        ("82 19fde7 5affffffff", CmwError::Malformed),
        ("82 19fde7 5bffffffffffffffff", CmwError::Malformed),
        ("bb ffffffffffffffff", CmwError::Malformed),
    ] {
        assert_eq!(Cmw::decode(&hex(bytes)), Err(error), "{bytes}");
    }
}

#[test]
fn refuses_in_json_what_is_no_wrapper() {
    for (text, error) in [
        ("[]", CmwError::Malformed),
        ("{}", CmwError::Empty),
        (r#"["a/b"]"#, CmwError::Malformed),
        (r#"["a/b","AA=="]"#, CmwError::Malformed),
        (r#"["a/b","AB"]"#, CmwError::Malformed),
        (r#"["a/b","A+"]"#, CmwError::Malformed),
        (r#"["a/b","AA",0]"#, CmwError::Indicator),
        (r#"["a/b","AA",4294967296]"#, CmwError::Indicator),
        (r#"["a/b","AA",-4]"#, CmwError::Malformed),
        (r#"["a/b","AA",4.0]"#, CmwError::Malformed),
        (r#"["a/b","AA",4,4]"#, CmwError::Malformed),
        (r#"["a/b","AA",4,4,5,6]"#, CmwError::Malformed),
        (r#"["ab","AA"]"#, CmwError::MediaType),
        (r#"[30001,"AA"]"#, CmwError::Malformed),
        (r#"["a/b","AA"] x"#, CmwError::Malformed),
        (r#"{"__cmwc_t":"x"}"#, CmwError::Empty),
        (
            r#"{"a":["a/b","AA"],"a":["a/b","AA"]}"#,
            CmwError::RepeatedLabel,
        ),
        (
            r#"{"a":["a/b","AA"],"\u0061":["a/b","AA"]}"#,
            CmwError::RepeatedLabel,
        ),
        (r#"{"a":null}"#, CmwError::Malformed),
    ] {
        assert_eq!(Cmw::decode(text.as_bytes()), Err(error), "{text}");
    }
}

#[test]
fn bounded_in_length_depth_and_number() {
    let record = || Cmw::record(Type::Media(media("a/b")), vec![0], None);
    let nest = |depth: usize| {
        (0..depth).try_fold(record(), |inner, _| {
            Cmw::collection(None, vec![("x".into(), inner)])
        })
    };
    assert!(nest(4).is_ok());
    assert_eq!(nest(5), Err(CmwError::TooDeep));
    let too_deep = hex(&format!("{}82 19fde7 40", "a1 00 ".repeat(5)));
    assert_eq!(Cmw::decode(&too_deep), Err(CmwError::TooDeep));
    for bomb in [0x81, 0xa1, 0xbf, 0x9f, 0xda, b'[', b'{'] {
        assert!(Cmw::decode(&vec![bomb; 65_000]).is_err(), "{bomb:#x}");
    }
    let members = |count: i64| (0..count).map(|i| (Label::Integer(i), record())).collect();
    assert!(Cmw::collection(None, members(8)).is_ok());
    assert_eq!(Cmw::collection(None, members(9)), Err(CmwError::TooMany));
    let pair = || Cmw::collection(None, members(2)).unwrap();
    let pairs = (0..5).map(|i| (Label::Integer(i), pair())).collect();
    assert_eq!(Cmw::collection(None, pairs), Err(CmwError::TooMany));
    assert_eq!(Cmw::collection(None, Vec::new()), Err(CmwError::Empty));
    let labelled = |length| {
        let label = Label::Text("~".repeat(length));
        Cmw::collection(None, vec![(label, record())]).map(|cmw| cmw.items()[0].label().len())
    };
    assert_eq!(labelled(MAX_CMW_LABEL), Ok(2 * MAX_CMW_LABEL));
    assert_eq!(labelled(MAX_CMW_LABEL + 1), Err(CmwError::LongLabel));

    // Header of the array, of "a/b" and of the byte string: 8 bytes.
    let filling = |length| Cmw::record(Type::Media(media("a/b")), vec![0; length], None).encode();
    let largest = filling(MAX_CMW - 8).unwrap();
    assert_eq!(largest.len(), MAX_CMW);
    assert!(Cmw::decode(&largest).is_ok());
    assert_eq!(filling(MAX_CMW - 7), Err(CmwError::TooLarge));
    assert_eq!(
        Cmw::decode(&[largest, vec![0]].concat()),
        Err(CmwError::TooLarge)
    );
}

#[test]
fn every_truncation_is_refused() {
    let cbor = composite().encode().unwrap();
    let json = json_composite().to_json().unwrap();
    for whole in [cbor, json] {
        for length in 0..whole.len() {
            assert!(Cmw::decode(&whole[..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn what_only_cbor_can_say_is_not_written_in_json() {
    assert_eq!(Cmw::tag(263, vec![1]).to_json(), Err(CmwError::NotInJson));
    assert_eq!(composite().to_json(), Err(CmwError::NotInJson));
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
