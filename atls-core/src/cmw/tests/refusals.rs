use super::*;

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
