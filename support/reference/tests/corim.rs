//! CoRIMs: genuine ones, forged ones, and refusals.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use ::corim::cbor::value::Value;
use ::corim::types::signed::CoseAlgorithm;
use ::corim::types::signed::CwtClaims;
use ::corim::types::signed::SignedCorimBuilder;
use atls_reference::FieldProblem;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::corim;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimError;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Field;
use atls_reference::corim::HashAlgorithm;
use atls_reference::corim::Id;
use atls_reference::corim::MAX_CORIM;
use atls_reference::corim::MeasuredElement;
use atls_reference::corim::Measurement;
use atls_reference::corim::RegisterId;
use atls_reference::corim::Svn;
use serde::Deserialize;
use support::Example;
use test_support::at;
use test_support::corim::Signer;
use test_support::corim::bytes;
use test_support::corim::encode;
use test_support::corim::integer;
use test_support::corim::map;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::hex;
use test_support::supported;
use test_support::vectors;

const NOW: u64 = 1_800_000_000;

// --- Genuine ones ------------------------------------------------------------------------------------------------------

#[test]
fn the_snp_corim_reads_as_its_maker_means_it() {
    let Some(corim) = genuine("corim-sevsnp-valid.cbor") else {
        return;
    };
    assert_eq!(corim.id(), "00000000-0000-0000-5596-0000000000001");
    assert_eq!(corim.profile(), Some("tag:amd.com,2024:snp-corim-profile"));
    assert_eq!(corim.left_out(), ["tag 1: attest-key-triples"]);
    assert_eq!(corim.expires_at(), None);
    let [reference] = corim.references() else {
        panic!("one triple");
    };
    let class = hex("2b060104019c780301");
    let Some(Id::Oid(oid)) = &reference.environment.class_id else {
        panic!("{reference:?}");
    };
    assert!(oid.starts_with(&class[..8]), "{oid:02x?}");
    assert!(matches!(&reference.environment.instance, Some(Id::Bytes(id)) if id.len() == 48));
    let by_number = |number| {
        let element = Some(MeasuredElement::Number(number));
        let mut measurements = reference.measurements.iter();
        measurements
            .find(|measurement| measurement.element == element)
            .unwrap()
    };
    assert_eq!(reference.measurements.len(), 18);
    assert_eq!(by_number(1).svn, Some(Svn::AtLeast(0)));
    assert_eq!(
        by_number(647).svn,
        Some(Svn::Exactly(6_059_311_823_650_291_722))
    );
    let version = by_number(3330).version.as_ref().unwrap();
    assert_eq!((&*version.text, version.scheme), ("1.55.8", Some(16384)));
    let raw = by_number(640).raw.as_ref().unwrap();
    assert_eq!((raw.value.len(), &raw.mask), (64, &None));
    let launch = by_number(641);
    assert_eq!(launch.says_only(&[Field::Digests]), Ok(()));
    let digest = launch.digest::<48>(&HashAlgorithm::Sha384).unwrap();
    assert!(digest.to_string().starts_with("7699e6ac12ccdfd1"));
    assert_eq!(launch.digest::<48>(&HashAlgorithm::Sha256), None);
    assert_eq!(launch.digest::<32>(&HashAlgorithm::Sha384), None);
}

#[test]
fn the_psa_corim_reads_as_its_maker_means_it() {
    let Some(corim) = genuine("corim-psa-valid.cbor") else {
        return;
    };
    assert_eq!(corim.profile(), Some("tag:arm.com,2025:psa#1.0.0"));
    let [reference] = corim.references() else {
        panic!("one triple");
    };
    let implementation = Id::Bytes(b"acme-implementation-id-000000001".to_vec());
    assert_eq!(reference.environment.class_id, Some(implementation));
    let component = MeasuredElement::Text("psa.software-component".to_owned());
    let names = reference.measurements.iter().map(|measurement| {
        assert_eq!(measurement.element, Some(component.clone()));
        let all = [Field::Digests, Field::KeyIds, Field::Name];
        assert_eq!(measurement.says_only(&all), Ok(()));
        assert_eq!(
            measurement.says_only(&[Field::Digests]).unwrap_err(),
            "cryptokeys, name would not be looked at".into()
        );
        assert_eq!(measurement.digests.len(), 1);
        assert_eq!(measurement.digests[0].algorithm, HashAlgorithm::Sha256);
        assert_eq!(measurement.key_ids[0].len(), 32);
        measurement.name.clone().unwrap()
    });
    assert_eq!(Vec::from_iter(names), ["BL", "PRoT", "ARoT"]);
}

#[test]
fn the_other_genuine_corims_read() {
    for (file, profile, triples, measurements) in [
        (
            "corim-cca-platform-valid.cbor",
            "tag:arm.com,2025:cca_platform#1.0.0",
            1,
            5,
        ),
        (
            "corim-cca-realm-valid.cbor",
            "tag:arm.com,2025:cca_realm#1.0.0",
            1,
            6,
        ),
        (
            "corim-enacttrust-valid.cbor",
            "https://enacttrust.com/veraison/1.0.0",
            1,
            1,
        ),
    ] {
        let Some(corim) = genuine(file) else { return };
        assert_eq!(corim.profile(), Some(profile), "{file}");
        assert_eq!(corim.references().len(), triples, "{file}");
        assert_eq!(
            corim.references()[0].measurements.len(),
            measurements,
            "{file}"
        );
        for measurement in &corim.references()[0].measurements {
            assert_eq!(measurement.further, [""; 0], "{file}");
        }
    }
}

#[test]
fn genuine_corims_cut_anywhere_are_errors_and_altered_anywhere_no_panics() {
    let Some(folder) = vectors() else { return };
    for file in ["corim-sevsnp-valid.cbor", "corim-psa-valid.cbor"] {
        let bytes = std::fs::read(folder.join("corim").join(file)).unwrap();
        for end in 0..bytes.len() {
            assert!(corim::unsigned(&bytes[..end], at(NOW)).is_err(), "{end}");
        }
        for position in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[position] ^= 0xff;
            let _ = corim::unsigned(&altered, at(NOW));
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(corim::unsigned(&longer, at(NOW)).is_err());
    }
}

// --- What narrows is not lost ------------------------------------------------------------------------------------------

#[test]
fn further_values_of_a_measurement_are_named() {
    for (key, value, name) in [
        (integer(3), map([(integer(3), Value::Bool(false))]), "flags"),
        (integer(8), text("serial"), "serial-number"),
        (integer(77), integer(1), "value 77"),
    ] {
        let values = map([(integer(2), digests()), (key, value)]);
        let corim = read(&document(vec![comid([triple(values)])])).unwrap();
        let measurement = &corim.references()[0].measurements[0];
        assert_eq!(measurement.further, [name]);
        assert!(measurement.says_only(&[Field::Digests]).is_err(), "{name}");
    }
}

#[test]
fn extensions_of_a_profile_are_kept_and_named() {
    let digest = Value::Array(vec![integer(7), bytes(&[1; 48])]);
    let values = map([(integer(-83), digest.clone()), (integer(-71), text("TDX"))]);
    let corim = read(&document(vec![comid([triple(values)])])).unwrap();
    let measurement = &corim.references()[0].measurements[0];
    assert_eq!(measurement.further, [""; 0]);
    assert_eq!(measurement.extensions[&-83], encode(&digest));
    let model = Field::Extension(-71);
    assert_eq!(
        measurement.says_only(&[Field::Extension(-83), model]),
        Ok(())
    );
    assert_eq!(
        measurement.says_only(&[model]).unwrap_err(),
        "extension -83 would not be looked at".into()
    );
}

#[test]
fn a_required_authority_is_named() {
    let authority = Value::Array(vec![tag(560, bytes(b"key"))]);
    let measurement = map([
        (integer(1), map([(integer(2), digests())])),
        (integer(2), authority),
    ]);
    let triple = Value::Array(vec![environment(), Value::Array(vec![measurement])]);
    let corim = read(&document(vec![comid([triple])])).unwrap();
    assert_eq!(
        corim.references()[0].measurements[0].further,
        ["authorized-by"]
    );
}

#[test]
fn keys_that_are_no_identifiers_are_told() {
    let keys = Value::Array(vec![tag(560, bytes(b"id")), tag(554, text("PEM"))]);
    let corim = read(&document(vec![comid([triple(map([(integer(13), keys)]))])])).unwrap();
    let measurement = &corim.references()[0].measurements[0];
    assert_eq!(measurement.key_ids, [b"id"]);
    assert_eq!(measurement.further, ["cryptokeys"]);
}

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

// --- Wrong ones --------------------------------------------------------------------------------------------------------

#[test]
fn a_document_without_reference_values_is_refused() {
    let key = Value::Array(vec![
        environment(),
        Value::Array(vec![tag(554, text("PEM"))]),
    ]);
    let triples = map([(integer(3), Value::Array(vec![key]))]);
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

// --- Signed ones -------------------------------------------------------------------------------------------------------

#[test]
fn a_signed_corim_reads_under_its_signers_key() {
    let signer = Signer::new();
    let corim = signer
        .read(&signed_by(&signer, |builder| builder), NOW)
        .unwrap();
    assert_eq!(corim.references().len(), 1);
    assert_eq!(corim.expires_at(), Some(at(NOW + 100)));
    let named = signed_by(&signer, |builder| builder.kid(b"the-key".to_vec()));
    assert!(signer.read(&named, NOW).is_ok());
}

#[test]
fn a_signed_corim_altered_or_cut_anywhere_is_refused() {
    let signer = Signer::new();
    let signed = signed_by(&signer, |builder| builder);
    for position in 0..signed.len() {
        for bit in 0..8 {
            let mut altered = signed.clone();
            altered[position] ^= 1 << bit;
            assert!(signer.read(&altered, NOW).is_err(), "{position}.{bit}");
        }
        assert!(signer.read(&signed[..position], NOW).is_err(), "{position}");
    }
}

#[test]
fn another_signer_is_refused() {
    let (signer, other) = (Signer::new(), Signer::new());
    let signed = signed_by(&other, |builder| builder);
    assert_eq!(
        signer.read(&signed, NOW).unwrap_err(),
        CorimError::BadSignature
    );
    let named = signed_by(&signer, |builder| builder.kid(b"another".to_vec()));
    assert_eq!(
        signer.read(&named, NOW).unwrap_err(),
        CorimError::UnknownKey
    );
}

#[test]
fn an_algorithm_that_is_not_the_keys_is_refused() {
    let signer = Signer::new();
    for (algorithm, error) in [
        (-9, None),
        (-35, Some(CorimError::UnknownKey)),
        (-8, Some(CorimError::UnknownKey)),
        (-37, Some(CorimError::UnknownKey)),
        (-36, Some(CorimError::Algorithm)),
        (-257, Some(CorimError::Algorithm)),
        (5, Some(CorimError::Algorithm)),
        (0, Some(CorimError::Algorithm)),
    ] {
        let signed = signed_as(&signer, CoseAlgorithm::from_i64(algorithm), |builder| {
            builder
        });
        assert_eq!(signer.read(&signed, NOW).err(), error, "{algorithm}");
    }
}

#[test]
fn a_critical_header_is_refused_wherever_it_stands() {
    let signer = Signer::new();
    let crit = || Value::Array(vec![integer(99)]);
    let protected = signed_by(&signer, |builder| {
        builder
            .add_protected(2_i64, crit())
            .add_protected(99_i64, integer(1))
    });
    let unprotected = signed_by(&signer, |builder| {
        builder.add_unprotected(integer(2), crit())
    });
    for signed in [protected, unprotected] {
        assert_eq!(
            signer.read(&signed, NOW).unwrap_err(),
            CorimError::Algorithm
        );
    }
}

#[test]
fn a_signature_is_neither_passed_over_nor_imagined() {
    let signer = Signer::new();
    let signed = signed_by(&signer, |builder| builder);
    assert_eq!(
        corim::unsigned(&signed, at(NOW)).unwrap_err(),
        CorimError::Signed
    );
    // Tag 18 as the shortest form is, as a longer one is, and behind the outer tags of older documents.
    assert_eq!(signed[0], 0xd2);
    for head in [
        &[0xd8, 18][..],
        &[0xd9, 0, 18],
        &[0xd9, 1, 0xf4, 0xd2],
        &[0xd9, 1, 0xf6, 0xd2],
    ] {
        let other = [head, &signed[1..]].concat();
        assert!(corim::unsigned(&other, at(NOW)).is_err(), "{head:02x?}");
    }
    let plain = document(vec![comid([triple(map([(integer(2), digests())]))])]);
    assert_eq!(signer.read(&plain, NOW).unwrap_err(), CorimError::Unsigned);
}

#[test]
fn the_validity_of_the_signature_is_looked_at() {
    let signer = Signer::new();
    let signed = signed_by(&signer, |builder| builder);
    let keys = signer.keys();
    let read = |seconds| corim::signed(&signed, &keys, &supported(), at(seconds));
    assert!(read(NOW + 99).is_ok());
    assert_eq!(read(NOW + 100).unwrap_err(), CorimError::Expired);
}

#[test]
fn a_payload_that_is_elsewhere_is_refused() {
    let signer = Signer::new();
    let mut builder = builder(CoseAlgorithm::Es256);
    let signature = signer.sign(&builder.to_be_signed(&[]).unwrap());
    let detached = builder.build_detached_with_signature(signature).unwrap();
    assert!(matches!(
        signer.read(&detached, NOW).unwrap_err(),
        CorimError::Malformed { .. }
    ));
}

// --- Tables ------------------------------------------------------------------------------------------------------------

/// Accepts `example` measurements of SHA-256.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Launch {
    measurements: Vec<atls_reference::Digest<32>>,
}

impl Table for Launch {
    const NAME: &'static str = "launch";

    fn check(&self) -> Result<(), FieldProblem> {
        match self.measurements.first() {
            Some(first) if first.is_zero() => Err(FieldProblem::new(
                "measurements[0]",
                "a measurement is zero",
            )),
            _ => Ok(()),
        }
    }

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let measurements = corim.references().iter().flat_map(|it| &it.measurements);
        let digest = |measurement: &Measurement| {
            measurement.says_only(&[Field::Digests])?;
            let digest = measurement.digest(&HashAlgorithm::Sha256);
            digest.ok_or_else(|| CorimProblem::new("no SHA-256"))
        };
        Ok(Self {
            measurements: measurements.map(digest).collect::<Result<_, _>>()?,
        })
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.measurements
            .extend(Self::from_corim(corim)?.measurements);
        Ok(())
    }
}

#[test]
fn a_platform_makes_its_table_of_it_and_checks_it() {
    let of = |byte| {
        let digest = Value::Array(vec![integer(1), bytes(&[byte; 32])]);
        let values = map([(integer(2), Value::Array(vec![digest]))]);
        read(&document(vec![comid([triple(values)])])).unwrap()
    };
    let table: Launch = of(7).table().unwrap();
    assert_eq!(table.measurements, [[7; 32].into()]);
    let error = of(0).table::<Launch>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "table [launch]: measurements[0]: a measurement is zero"
    );
}

#[test]
fn a_problem_has_the_place_of_its_triple_unless_it_has_one() {
    let good = || triple(map([(integer(2), digests())]));
    let corim = read(&document(vec![comid([good(), good()])])).unwrap();
    let second = corim.references()[1].place;
    let measurement = corim.references()[1].placed().next().unwrap().0;
    for (own, expected) in [(None, second), (Some(measurement), measurement)] {
        let refused = corim.each_reference(|reference| {
            let mut problem = CorimProblem::new("no");
            problem.place = own;
            match reference.place == second {
                true => Err(problem),
                false => Ok(()),
            }
        });
        assert_eq!(refused.unwrap_err().place, Some(expected));
    }
}

#[test]
fn another_profile_than_the_known_one_is_a_problem() {
    let corim = read(&document(vec![comid([triple(map([(
        integer(2),
        digests(),
    )]))])]))
    .unwrap();
    assert_eq!(corim.check_profile(None), Ok(()));
    assert!(corim.check_profile(Some("tag:maker")).is_err());
}

#[test]
fn a_platform_that_takes_none_says_so() {
    let corim = read(&document(vec![comid([triple(map([(
        integer(2),
        digests(),
    )]))])]))
    .unwrap();
    let example: Example = atls_reference::from_toml(support::GOOD).unwrap();
    for error in [
        corim.table::<Example>().unwrap_err(),
        corim.added_to(example).unwrap_err(),
    ] {
        assert!(
            matches!(
                &error,
                ReferenceError::Corim {
                    table: "example",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn added_values_are_checked_with_their_table() {
    let of = |byte| {
        let digest = Value::Array(vec![integer(1), bytes(&[byte; 32])]);
        let values = map([(integer(2), Value::Array(vec![digest]))]);
        read(&document(vec![comid([triple(values)])])).unwrap()
    };
    let table = || Launch {
        measurements: Vec::new(),
    };
    let added = of(7).added_to(of(8).added_to(table()).unwrap()).unwrap();
    assert_eq!(added.measurements, [[8; 32].into(), [7; 32].into()]);
    let error = of(0).added_to(table()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "table [launch]: measurements[0]: a measurement is zero"
    );
}

#[test]
fn each_measurement_knows_its_place() {
    let good = || triple(map([(integer(2), digests())]));
    let two = vec![measurement(map([(integer(2), digests())])); 2];
    let two = Value::Array(vec![environment(), Value::Array(two)]);
    let corim = read(&document(vec![comid([good()]), comid([good(), two])])).unwrap();
    let places = corim.references().iter().flat_map(|it| it.placed());
    let places = places.map(|(place, _)| place.to_string());
    assert_eq!(
        Vec::from_iter(places),
        [
            "tag 0, reference triple 0, measurement 0",
            "tag 1, reference triple 0, measurement 0",
            "tag 1, reference triple 1, measurement 0",
            "tag 1, reference triple 1, measurement 1",
        ]
    );
}

// --- Support -----------------------------------------------------------------------------------------------------------

fn genuine(file: &str) -> Option<Corim> {
    let bytes = std::fs::read(vectors()?.join("corim").join(file)).unwrap();
    Some(corim::unsigned(&bytes, at(NOW)).unwrap())
}

fn read(bytes: &[u8]) -> Result<Corim, CorimError> {
    corim::unsigned(bytes, at(NOW))
}

fn document(tags: Vec<Value>) -> Vec<u8> {
    encode(&tag(501, Value::Map(document_entries(tags))))
}

fn document_entries(tags: Vec<Value>) -> Vec<(Value, Value)> {
    vec![(integer(0), text("test")), (integer(1), Value::Array(tags))]
}

fn comid<const N: usize>(triples: [Value; N]) -> Value {
    let entries = Value::Map(comid_entries(triples));
    tag(506, bytes(&encode(&entries)))
}

fn comid_entries<const N: usize>(triples: [Value; N]) -> Vec<(Value, Value)> {
    vec![
        (integer(1), map([(integer(0), text("comid"))])),
        (
            integer(4),
            map([(integer(0), Value::Array(triples.into()))]),
        ),
    ]
}

fn triple(values: Value) -> Value {
    Value::Array(vec![environment(), Value::Array(vec![measurement(values)])])
}

fn environment() -> Value {
    map([(integer(0), map([(integer(1), text("ACME"))]))])
}

fn measurement(values: Value) -> Value {
    map([(integer(1), values)])
}

fn digests() -> Value {
    let digest = Value::Array(vec![integer(1), bytes(&[7; 32])]);
    Value::Array(vec![digest])
}

fn builder(algorithm: CoseAlgorithm) -> SignedCorimBuilder {
    let payload = document(vec![comid([triple(map([(integer(2), digests())]))])]);
    let expires = i64::try_from(NOW + 100).unwrap();
    SignedCorimBuilder::new(algorithm, payload)
        .set_cwt_claims(CwtClaims::new("ACME").with_exp(expires))
}

fn signed_by(
    signer: &Signer,
    change: impl FnOnce(SignedCorimBuilder) -> SignedCorimBuilder,
) -> Vec<u8> {
    signed_as(signer, CoseAlgorithm::Es256, change)
}

/// The header names this algorithm; the key is of P-256.
fn signed_as(
    signer: &Signer,
    algorithm: CoseAlgorithm,
    change: impl FnOnce(SignedCorimBuilder) -> SignedCorimBuilder,
) -> Vec<u8> {
    let mut builder = change(builder(algorithm));
    let signature = signer.sign(&builder.to_be_signed(&[]).unwrap());
    builder.build_with_signature(signature).unwrap()
}
