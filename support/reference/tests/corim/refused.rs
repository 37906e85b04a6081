//! Documents that are refused, with their place.

use ::corim::cbor::value::Value;
use atls_reference::corim;
use atls_reference::corim::CorimError;
use atls_reference::corim::Field;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::MAX_CORIM;
use atls_reference::corim::RegisterId;
use test_support::at;
use test_support::corim::bytes;
use test_support::corim::encode;
use test_support::corim::integer;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::corim::text;

use crate::documents::NOW;
use crate::documents::comid;
use crate::documents::comid_entries;
use crate::documents::digests;
use crate::documents::document;
use crate::documents::document_entries;
use crate::documents::environment;
use crate::documents::measurement;
use crate::documents::read;
use crate::documents::triple;

#[test]
fn unknown_entries_that_could_narrow_are_refused_with_their_place() {
    let class = |extra| map([(integer(0), map([(integer(1), text("ACME")), extra]))]);
    let measurements = || Value::Array(vec![measurement(map([(integer(2), digests())]))]);
    let extra = || (integer(9), integer(1));
    let narrower_environment = map([(integer(0), map([(integer(1), text("ACME"))])), extra()]);
    let narrower_measurement = map([(integer(1), map([(integer(2), digests())])), extra()]);
    for (broken, place) in [
        (
            Value::Array(vec![narrower_environment, measurements()]),
            "tag 1, reference triple 2",
        ),
        (
            Value::Array(vec![class(extra()), measurements()]),
            "tag 1, reference triple 2",
        ),
        (
            Value::Array(vec![
                environment(),
                Value::Array(vec![
                    measurement(map([(integer(2), digests())])),
                    narrower_measurement,
                ]),
            ]),
            "tag 1, reference triple 2, measurement 1",
        ),
        (
            Value::Array(vec![
                map([(integer(1), tag(554, text("a key")))]),
                measurements(),
            ]),
            "tag 1, reference triple 2",
        ),
    ] {
        let good = || triple(map([(integer(2), digests())]));
        let comids = vec![comid([good()]), comid([good(), good(), broken])];
        match read(&document(comids)).unwrap_err() {
            CorimError::Unsupported { place: found, .. } => assert_eq!(found.to_string(), place),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn tags_that_switch_others_off_are_refused() {
    let link = |relation| {
        let link = map([(integer(0), text("older")), (integer(1), integer(relation))]);
        let mut entries = comid_entries([triple(map([(integer(2), digests())]))]);
        entries.push((integer(3), Value::Array(vec![link])));
        vec![tag(506, bytes(&encode(&Value::Map(entries))))]
    };
    assert!(read(&document(link(0))).is_ok());
    assert!(matches!(
        read(&document(link(1))).unwrap_err(),
        CorimError::Unsupported { place, .. } if place.tag == 0
    ));
    let identity = map([(integer(0), text("id"))]);
    let cotl = map([
        (integer(0), identity.clone()),
        (integer(1), Value::Array(vec![identity])),
        (integer(2), map([(integer(1), tag(1, integer(NOW.into())))])),
    ]);
    for other in [tag(508, bytes(&encode(&cotl))), tag(599, bytes(b"?"))] {
        let tags = vec![comid([triple(map([(integer(2), digests())]))]), other];
        assert!(matches!(
            read(&document(tags)).unwrap_err(),
            CorimError::Unsupported { place, .. } if place.tag == 1
        ));
    }
}

#[test]
fn values_of_another_length_are_refused_with_their_place() {
    let of = |algorithm: i128, length: usize| {
        let digest = Value::Array(vec![integer(algorithm), bytes(&vec![7; length])]);
        map([(integer(2), Value::Array(vec![digest]))])
    };
    let masked = |mask: &[u8]| {
        let pair = Value::Array(vec![bytes(b"abc"), bytes(mask)]);
        map([(integer(4), tag(563, pair))])
    };
    for (values, good) in [
        (of(1, 32), true),
        (of(7, 48), true),
        (of(8, 64), true),
        (of(99, 3), true),
        (of(1, 31), false),
        (of(1, 48), false),
        (of(7, 32), false),
        (of(8, 0), false),
        (masked(b"xyz"), true),
        (masked(b"xy"), false),
    ] {
        match read(&document(vec![comid([triple(values)])])) {
            Ok(_) => assert!(good),
            Err(CorimError::Malformed { place, .. }) => {
                assert!(!good);
                let place = place.unwrap();
                assert_eq!(
                    (place.tag, place.triple, place.measurement),
                    (0, Some(0), Some(0))
                );
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_mask_is_read_where_older_documents_have_it() {
    let raw = |mask: Value| map([(integer(4), tag(560, bytes(b"abc"))), (integer(5), mask)]);
    let corim = read(&document(vec![comid([triple(raw(bytes(b"xyz")))])])).unwrap();
    let measurement = &corim.references()[0].measurements[0];
    assert_eq!(
        measurement.raw.as_ref().unwrap().mask.as_deref(),
        Some(&b"xyz"[..])
    );
    assert_eq!(measurement.says_only(&[Field::Raw]), Ok(()));
    let alone = map([(integer(2), digests()), (integer(5), bytes(b"xyz"))]);
    let corim = read(&document(vec![comid([triple(alone)])])).unwrap();
    assert_eq!(
        corim.references()[0].measurements[0].further,
        ["raw-value-mask"]
    );
    for wrong in [bytes(b"xy"), text("xyz")] {
        assert!(read(&document(vec![comid([triple(raw(wrong))])])).is_err());
    }
}

#[test]
fn registers_are_read_by_number_and_name() {
    let registers = map([(integer(0), digests()), (text("rtmr1"), digests())]);
    let corim = read(&document(vec![comid([triple(map([(
        integer(14),
        registers,
    )]))])]))
    .unwrap();
    let registers = &corim.references()[0].measurements[0].registers;
    let ids: Vec<_> = registers.keys().cloned().collect();
    assert_eq!(
        ids,
        [RegisterId::Number(0), RegisterId::Text("rtmr1".to_owned())]
    );
    assert_eq!(registers[&ids[0]][0].algorithm, HashAlgorithm::Sha256);
}

#[test]
fn a_document_without_reference_values_is_refused() {
    let key = Value::Array(vec![
        environment(),
        Value::Array(vec![tag(554, text("PEM"))]),
    ]);
    // Of identity, which no table reads.
    let triples = map([(integer(2), Value::Array(vec![key]))]);
    let comid = map([
        (integer(1), map([(integer(0), text("keys"))])),
        (integer(4), triples),
    ]);
    let tags = vec![tag(506, bytes(&encode(&comid)))];
    assert_eq!(read(&document(tags)).unwrap_err(), CorimError::NoReferences);
}

#[test]
fn a_malformed_tag_is_named() {
    let empty = map([
        (integer(1), map([(integer(0), text("empty"))])),
        (integer(4), Value::Map(Vec::new())),
    ]);
    for broken in [
        encode(&empty),
        encode(&text("no map")),
        vec![0xff],
        Vec::new(),
    ] {
        let tags = vec![
            comid([triple(map([(integer(2), digests())]))]),
            tag(506, bytes(&broken)),
        ];
        match read(&document(tags)).unwrap_err() {
            CorimError::Malformed { place, .. } => assert_eq!(place.unwrap().tag, 1),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn other_bytes_than_a_corim_are_refused() {
    for bytes in [
        Vec::new(),
        vec![0xff],
        b"version = 1".to_vec(),
        encode(&integer(1)),
        encode(&tag(501, integer(1))),
        encode(&tag(501, Value::Map(Vec::new()))),
    ] {
        assert!(matches!(
            corim::unsigned(&bytes, at(NOW)).unwrap_err(),
            CorimError::Malformed { .. }
        ));
    }
}

#[test]
fn the_text_of_an_error_holds_no_control_characters() {
    let tags = vec![comid([triple(map([
        (text("\u{1b}[31m"), integer(1)),
        (integer(2), digests()),
    ]))])];
    match read(&document(tags)) {
        Ok(corim) => {
            let further = &corim.references()[0].measurements[0].further;
            assert!(!further.concat().contains('\u{1b}'));
        }
        Err(error) => assert!(!error.to_string().contains('\u{1b}')),
    }
}

#[test]
fn limits_are_kept() {
    let good = document(vec![comid([triple(map([(integer(2), digests())]))])]);
    let large = [good, vec![0; MAX_CORIM]].concat();
    assert_eq!(read(&large).unwrap_err(), CorimError::TooLarge);
    let mut deep = integer(1);
    for _ in 0..60 {
        deep = Value::Array(vec![deep]);
    }
    let deep = triple(map([(integer(-1), deep), (integer(2), digests())]));
    assert_eq!(
        read(&document(vec![comid([deep])])).unwrap_err(),
        CorimError::TooLarge
    );
    let bomb = [vec![0xd9, 0x01, 0xf5], vec![0x81; 900_000]].concat();
    assert!(read(&bomb).is_err());
    let claimed = [0xd9, 0x01, 0xf5, 0x9b, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert!(read(&claimed).is_err());
    let many = vec![measurement(map([(integer(2), digests())])); 10_001];
    let many = Value::Array(vec![environment(), Value::Array(many)]);
    assert_eq!(
        read(&document(vec![comid([many])])).unwrap_err(),
        CorimError::TooLarge
    );
}

#[test]
fn validity_is_looked_at() {
    let with = |validity| {
        let mut entries = document_entries(vec![comid([triple(map([(integer(2), digests())]))])]);
        entries.push((integer(4), validity));
        encode(&tag(501, Value::Map(entries)))
    };
    let time = |seconds: u64| tag(1, integer(seconds.into()));
    let window = with(map([(integer(0), time(NOW)), (integer(1), time(NOW + 10))]));
    let read = |seconds| corim::unsigned(&window, at(seconds));
    assert_eq!(read(NOW - 1).unwrap_err(), CorimError::NotYetValid);
    assert_eq!(read(NOW + 11).unwrap_err(), CorimError::Expired);
    for good in [NOW, NOW + 10] {
        assert_eq!(read(good).unwrap().expires_at(), Some(at(NOW + 11)));
    }
    assert_eq!(read(u64::MAX).unwrap_err(), CorimError::Expired);
}
