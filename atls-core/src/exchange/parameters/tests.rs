use super::*;

fn client() -> Parameters {
    let formats = vec![
        "application/eat+cwt; eat_profile=\"tag:x\""
            .parse()
            .unwrap(),
    ];
    Parameters::client(formats, true, CanAttest::AfterPeer)
}

#[test]
fn survive_the_wire_on_both_sides() {
    let parameters = client();
    let decoded = Parameters::decode(&parameters.encode().unwrap(), Side::Client);
    assert_eq!(decoded, Ok(parameters));
    let parameters = Parameters::server(Vec::new(), Order::ClientFirst);
    let decoded = Parameters::decode(&parameters.encode().unwrap(), Side::Server);
    assert_eq!(decoded, Ok(parameters));
}

#[test]
fn ignore_unknown_keys_but_refuse_repeated_and_trailing_ones() {
    let decoded: Value = ciborium::from_reader(&*client().encode().unwrap()).unwrap();
    let mut map = decoded.into_map().unwrap();
    map.push((99.into(), Value::Null));
    assert_eq!(
        Parameters::decode(&encode(map.clone()).unwrap(), Side::Client),
        Ok(client())
    );
    map.push((VERDICTS.into(), true.into()));
    let repeated = Parameters::decode(&encode(map).unwrap(), Side::Client);
    assert_eq!(repeated, Err(ProtocolError::Malformed));
    let mut trailing = client().encode().unwrap();
    trailing.push(0);
    assert_eq!(
        Parameters::decode(&trailing, Side::Client),
        Err(ProtocolError::Malformed)
    );
}

#[test]
fn every_truncation_is_refused() {
    let bytes = client().encode().unwrap();
    for length in 0..bytes.len() {
        assert!(
            Parameters::decode(&bytes[..length], Side::Client).is_err(),
            "{length}"
        );
    }
}

#[test]
fn a_server_cannot_speak_as_a_client() {
    let bytes = client().encode().unwrap();
    assert_eq!(
        Parameters::decode(&bytes, Side::Server),
        Err(ProtocolError::Malformed)
    );
}

#[test]
fn a_selection_is_of_what_was_offered() {
    use Batches as B;
    use Verdicts as V;
    let every = [
        (B::No, V::No),
        (B::No, V::Yes),
        (B::Yes, V::No),
        (B::Yes, V::Yes),
    ]
    .map(|(batches, verdicts)| Selection { batches, verdicts });
    for chosen in every {
        for offered in every {
            let decoded = Selection::decode(&chosen.encode().unwrap(), offered);
            let unoffered = (chosen.batches == B::Yes && offered.batches == B::No)
                || (chosen.verdicts == V::Yes && offered.verdicts == V::No);
            let expected = if unoffered {
                Err(ProtocolError::UnsupportedParameters)
            } else {
                Ok(chosen)
            };
            assert_eq!(decoded, expected, "{chosen:?} of {offered:?}");
        }
    }
    let other_version = encode(vec![
        (VERSION.into(), 2.into()),
        (VERDICTS.into(), true.into()),
    ]);
    let refused = Selection::decode(&other_version.unwrap(), every[3]);
    assert_eq!(refused, Err(ProtocolError::UnsupportedParameters));
}

#[test]
fn batches_are_understood_by_who_says_true() {
    let with = |value: Option<Value>| {
        let decoded: Value = ciborium::from_reader(&*client().encode().unwrap()).unwrap();
        let mut map = decoded.into_map().unwrap();
        map.retain(|(key, _)| *key != BATCHES.into());
        map.extend(value.map(|value| (BATCHES.into(), value)));
        let parameters = Parameters::decode(&encode(map).unwrap(), Side::Client);
        parameters.map(|parameters| parameters.batches)
    };
    assert_eq!(with(None), Ok(Batches::No));
    assert_eq!(with(Some(false.into())), Ok(Batches::No));
    assert_eq!(with(Some(true.into())), Ok(Batches::Yes));
    for other in [1.into(), Value::Null, "true".into(), Value::Array(vec![])] {
        assert_eq!(with(Some(other)), Err(ProtocolError::Malformed));
    }
}

#[test]
fn a_selection_says_batches_only_where_it_chose_them() {
    let said = |batches| {
        let verdicts = Verdicts::Yes;
        Selection { batches, verdicts }.encode().unwrap()
    };
    assert_eq!(said(Batches::No), [0xa2, 1, 1, 4, 0xf5]);
    assert_eq!(said(Batches::Yes), [0xa3, 1, 1, 3, 0xf5, 4, 0xf5]);
}

#[test]
fn bounded_in_formats_and_nesting() {
    let listed = |count| {
        let formats = Value::Array(vec!["a/b".into(); count]);
        let bytes = encode(vec![
            (VERSION.into(), 1.into()),
            (FORMATS.into(), formats),
            (VERDICTS.into(), true.into()),
            (ORDER.into(), 1.into()),
        ]);
        Parameters::decode(&bytes.unwrap(), Side::Server).map(drop)
    };
    assert_eq!(listed(MAX_FORMATS), Ok(()));
    assert_eq!(listed(MAX_FORMATS + 1), Err(ProtocolError::TooLarge));
    let nested = |depth| Parameters::decode(&vec![0x81; depth], Side::Client).map(drop);
    assert_eq!(nested(100), Err(ProtocolError::Malformed));
    assert_eq!(nested(60_000), Err(ProtocolError::TooLarge));
}

#[test]
fn an_order_needs_the_clients_consent() {
    assert!(CanAttest::BeforePeer.allows(Order::ClientFirst));
    assert!(CanAttest::BeforePeer.allows(Order::ClientLast));
    assert!(CanAttest::AfterPeer.allows(Order::ClientLast));
    assert!(!CanAttest::AfterPeer.allows(Order::ClientFirst));
    assert!(!CanAttest::No.allows(Order::ClientLast));
}

#[test]
fn a_version_before_the_first_is_refused_and_a_later_one_understood() {
    let of_version = |version: Value| {
        let decoded: Value = ciborium::from_reader(&*client().encode().unwrap()).unwrap();
        let mut map = decoded.into_map().unwrap();
        map.retain(|(key, _)| *key != VERSION.into());
        map.push((VERSION.into(), version));
        Parameters::decode(&encode(map).unwrap(), Side::Client).map(drop)
    };
    let refused = Err(ProtocolError::UnsupportedParameters);
    assert_eq!(of_version(0.into()), refused);
    assert_eq!(of_version(1.into()), Ok(()));
    assert_eq!(of_version(2.into()), Ok(()));
    for version in [(-1).into(), Value::Null, "1".into(), 1.0.into()] {
        let refused = of_version(version);
        assert_eq!(refused, Err(ProtocolError::Malformed));
    }
    let bignum = Value::Tag(2, Box::new(Value::Bytes(vec![1])));
    assert_eq!(of_version(bignum), Err(ProtocolError::Malformed));
}
