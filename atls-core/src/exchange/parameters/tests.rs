use super::*;

fn client() -> Parameters {
    let formats = vec![
        "application/eat+cwt; eat_profile=\"tag:x\""
            .parse()
            .unwrap(),
    ];
    Parameters::client(formats, true, CanAttest::AfterServer)
}

fn read(bytes: &[u8], sender: Side) -> Result<Parameters, ProtocolError> {
    Parameters::decode(bytes, sender, WireProfile::EXPAT_03)
}

#[test]
fn survive_the_wire_on_both_sides() {
    use CanAttest as C;
    let clients = [C::No, C::AfterServer, C::EitherOrder].map(|can| {
        (
            Side::Client,
            Parameters::client(client().formats, true, can),
        )
    });
    let servers = [Order::ClientLast, Order::ClientFirst]
        .map(|order| (Side::Server, Parameters::server(Vec::new(), order)));
    for (side, parameters) in clients.into_iter().chain(servers) {
        let bytes = parameters.encode(WireProfile::EXPAT_03).unwrap();
        assert_eq!(read(&bytes, side), Ok(parameters));
    }
}

#[test]
fn ignore_unknown_keys_but_refuse_repeated_and_trailing_ones() {
    let decoded: Value =
        ciborium::from_reader(&*client().encode(WireProfile::EXPAT_03).unwrap()).unwrap();
    let mut map = decoded.into_map().unwrap();
    map.push((99.into(), Value::Null));
    assert_eq!(
        read(&encode(map.clone()).unwrap(), Side::Client),
        Ok(client())
    );
    map.push((VERDICTS.into(), true.into()));
    let repeated = read(&encode(map).unwrap(), Side::Client);
    assert_eq!(repeated, Err(ProtocolError::Malformed));
    let mut trailing = client().encode(WireProfile::EXPAT_03).unwrap();
    trailing.push(0);
    assert_eq!(read(&trailing, Side::Client), Err(ProtocolError::Malformed));
}

#[test]
fn every_truncation_is_refused() {
    let bytes = client().encode(WireProfile::EXPAT_03).unwrap();
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length], Side::Client).is_err(), "{length}");
    }
}

#[test]
fn a_server_cannot_speak_as_a_client() {
    let bytes = client().encode(WireProfile::EXPAT_03).unwrap();
    assert_eq!(read(&bytes, Side::Server), Err(ProtocolError::Malformed));
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
        let decoded: Value =
            ciborium::from_reader(&*client().encode(WireProfile::EXPAT_03).unwrap()).unwrap();
        let mut map = decoded.into_map().unwrap();
        map.retain(|(key, _)| *key != BATCHES.into());
        map.extend(value.map(|value| (BATCHES.into(), value)));
        let parameters = read(&encode(map).unwrap(), Side::Client);
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
        read(&bytes.unwrap(), Side::Server).map(drop)
    };
    assert_eq!(listed(MAX_FORMATS), Ok(()));
    assert_eq!(listed(MAX_FORMATS + 1), Err(ProtocolError::TooLarge));
    let nested = |depth| read(&vec![0x81; depth], Side::Client).map(drop);
    assert_eq!(nested(100), Err(ProtocolError::Malformed));
    assert_eq!(nested(60_000), Err(ProtocolError::TooLarge));
}

#[test]
fn an_order_needs_the_clients_consent() {
    assert!(CanAttest::EitherOrder.allows(Order::ClientFirst));
    assert!(CanAttest::EitherOrder.allows(Order::ClientLast));
    assert!(CanAttest::AfterServer.allows(Order::ClientLast));
    assert!(!CanAttest::AfterServer.allows(Order::ClientFirst));
    assert!(!CanAttest::No.allows(Order::ClientLast));
}

#[test]
fn a_version_before_the_first_is_refused_and_a_later_one_understood() {
    let of_version = |version: Value| {
        let decoded: Value =
            ciborium::from_reader(&*client().encode(WireProfile::EXPAT_03).unwrap()).unwrap();
        let mut map = decoded.into_map().unwrap();
        map.retain(|(key, _)| *key != VERSION.into());
        map.push((VERSION.into(), version));
        read(&encode(map).unwrap(), Side::Client).map(drop)
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

fn made_up() -> WireProfile {
    WireProfile::dangerous_unpublished("made-up", "EXPORTER-made-up", 0xff77).unwrap()
}

#[test]
fn name_every_profile_but_the_first() {
    let first = client().encode(WireProfile::EXPAT_03).unwrap();
    let other = client().encode(made_up()).unwrap();
    assert_eq!(
        other[1..],
        [&first[1..], b"\x08\x67made-up"].concat(),
        "the same map, with key 8"
    );
    let decoded = Parameters::decode(&other, Side::Client, made_up());
    assert_eq!(decoded, Ok(client()));
}

#[test]
fn of_another_profile_are_refused_by_name() {
    let other_profile = |own, peer: &str| {
        Err(ProtocolError::OtherProfile {
            own,
            peer: peer.into(),
        })
    };
    let first = client().encode(WireProfile::EXPAT_03).unwrap();
    let other = client().encode(made_up()).unwrap();
    assert_eq!(
        read(&other, Side::Client),
        other_profile(WireProfile::EXPAT_03, "made-up")
    );
    assert_eq!(
        Parameters::decode(&first, Side::Client, made_up()),
        other_profile(made_up(), "expat-03")
    );
}

#[test]
fn may_name_the_first_profile_too() {
    let named = with_profile("expat-03".into());
    assert_eq!(read(&named, Side::Client), Ok(client()));
}

#[test]
fn name_no_profile_that_an_error_could_not_show() {
    for name in ["", " ", "a\nb", "é", &"x".repeat(65)] {
        let refused = read(&with_profile(name.into()), Side::Client);
        assert_eq!(refused, Err(ProtocolError::Malformed), "{name:?}");
    }
    for other in [Value::Null, 3.into(), Value::Bytes(b"expat-03".to_vec())] {
        let refused = read(&with_profile(other), Side::Client);
        assert_eq!(refused, Err(ProtocolError::Malformed));
    }
}

fn with_profile(value: Value) -> Vec<u8> {
    let encoded = client().encode(WireProfile::EXPAT_03).unwrap();
    let decoded: Value = ciborium::from_reader(&*encoded).unwrap();
    let mut map = decoded.into_map().unwrap();
    map.push((PROFILE.into(), value));
    encode(map).unwrap()
}
