//! Reference values out of a CoRIM, and which documents are accepted by them.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use ::corim::cbor::value::Value;
use atls_core::AppraisalError;
use atls_core::Stale;
use atls_core::ear::Tier;
use atls_nitro::NitroAttester;
use atls_nitro::NitroImage;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_nitro::testing::ForgedNsm;
use atls_reference::Live;
use atls_reference::Sourced;
use test_support::Connection;
use test_support::at;
use test_support::corim::ForgedCorim;
use test_support::corim::Signer;
use test_support::corim::bytes;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::map;
use test_support::corim::measurement;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;

const NOW: u64 = 1_800_000_000;

#[test]
fn an_enclave_is_accepted_by_its_corim_alone() {
    let forger = Arc::new(ForgedNitro::new(at(NOW)));
    let policy: NitroPolicy = document(vec![enclave(&ForgedNitro::image())])
        .read(NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    let mut expected = ForgedNitro::image();
    expected.name = "payments".to_owned();
    assert_eq!(policy, NitroPolicy::new(vec![expected]));
    assert_eq!(status(&forger, policy), Tier::Affirming);
}

#[test]
fn every_register_narrows() {
    let forger = Arc::new(ForgedNitro::new(at(NOW)));
    for register in 0..16 {
        let mut registers = registers_of(&ForgedNitro::image());
        registers.retain(|(known, _)| *known != integer(register));
        registers.push((integer(register), list(vec![digest(7, &[0xee; 48])])));
        registers.sort_by_key(|(known, _)| match known {
            Value::Integer(number) => *number,
            _ => panic!(),
        });
        let document = document(vec![of_registers(registers)]);
        let policy = document
            .read(NOW)
            .unwrap()
            .dangerous_table_without_end()
            .unwrap();
        assert_ne!(status(&forger, policy), Tier::Affirming, "PCR{register}");
    }
}

#[test]
fn every_register_can_be_named() {
    let registers: Vec<_> = (0..16)
        .map(|register| {
            (
                integer(register),
                list(vec![digest(7, &[register as u8 + 1; 48])]),
            )
        })
        .collect();
    let document = document(vec![of_registers(registers)]);
    let policy: NitroPolicy = document
        .read(NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    let forger = Arc::new(ForgedNitro::new(at(NOW)));
    let filled = |but: u8| {
        (0..16).fold(ForgedNitro::device(&forger), |device, register| {
            let value = if register == but { 0xee } else { register + 1 };
            device.with_pcr(register, [value; 48].into())
        })
    };
    assert_eq!(
        status_of(&forger, filled(16), policy.clone()),
        Tier::Affirming
    );
    for but in 0..16 {
        let tier = status_of(&forger, filled(but), policy.clone());
        assert_ne!(tier, Tier::Affirming, "PCR{but}");
    }
}

#[test]
fn a_policy_is_added_to() {
    let forger = Arc::new(ForgedNitro::new(at(NOW)));
    let mut other = NitroPolicy::new(vec![NitroImage::measured(
        "other",
        [1; 48].into(),
        [2; 48].into(),
        [3; 48].into(),
    )]);
    other.max_age_seconds = 60;
    assert_ne!(status(&forger, other.clone()), Tier::Affirming);
    let corim = document(vec![enclave(&ForgedNitro::image())])
        .read(NOW)
        .unwrap();
    let policy = corim.dangerous_added_without_end(other).unwrap();
    assert_eq!((policy.images.len(), policy.max_age_seconds), (2, 60));
    assert_eq!(status(&forger, policy), Tier::Affirming);
}

#[test]
fn another_profile_or_class_is_refused() {
    let good = || enclave(&ForgedNitro::image());
    for profile in [
        tag(32, text("tag:amd.com,2024:snp-corim-profile")),
        tag(111, bytes(&[0x60, 0x86, 0x48])),
    ] {
        let text = problem(&ForgedCorim::new(Some(profile), vec![good()]));
        assert!(text.contains("profile"), "{text}");
    }
    let values = || vec![measurement(None, [(integer(14), registers())])];
    let vendor = |name| (integer(1), text(name));
    let model = |name| (integer(2), text(name));
    for other in [
        triple([vendor("Amazon Web Services")], values()),
        triple([model("Nitro Enclaves")], values()),
        triple([vendor("Amazon Web Services"), model("TPM")], values()),
        triple([vendor("ACME"), model("Nitro Enclaves")], values()),
        triple(
            [
                (integer(0), tag(560, bytes(b"class"))),
                vendor("Amazon Web Services"),
                model("Nitro Enclaves"),
            ],
            values(),
        ),
        list(vec![
            map([
                (integer(0), map(class())),
                (integer(1), tag(560, bytes(b"i-0forged"))),
            ]),
            list(values()),
        ]),
    ] {
        let text = problem(&document(vec![good(), other]));
        assert!(
            text.contains("reference triple 1: its environment"),
            "{text}"
        );
    }
}

#[test]
fn a_value_that_no_table_holds_is_refused_with_its_place() {
    let sha384 = || list(vec![digest(7, &[1; 48])]);
    let both = list(vec![digest(7, &[1; 48]), digest(8, &[1; 64])]);
    for (register, digests, named) in [
        (integer(16), sha384(), "Number(16)"),
        (integer(1 << 32), sha384(), "Number(4294967296)"),
        (text("pcr0"), sha384(), "pcr0"),
        (integer(0), list(vec![digest(1, &[1; 32])]), "Number(0)"),
        (integer(0), both, "Number(0)"),
        (integer(0), list(vec![digest(7, &[0; 48])]), "pcr0 is zero"),
        (integer(1), sha384(), "leaves open"),
        (integer(3), sha384(), "leaves open"),
    ] {
        let text = problem(&document(vec![of_registers(vec![(register, digests)])]));
        assert!(text.contains(named), "{text}");
    }
    for (values, named) in [
        (
            vec![measurement(Some(integer(1)), [(integer(14), registers())])],
            "key",
        ),
        (
            vec![measurement(None, [(integer(14), registers())]); 2],
            "several",
        ),
        (
            vec![measurement(
                None,
                [(integer(1), integer(3)), (integer(14), registers())],
            )],
            "svn would not",
        ),
    ] {
        let text = problem(&document(vec![triple(class(), values)]));
        assert!(
            text.contains("reference triple 0") && text.contains(named),
            "{text}"
        );
    }
}

#[test]
fn a_signed_corim_makes_the_same_policy() {
    let forger = Arc::new(ForgedNitro::new(at(NOW)));
    let signer = Signer::new();
    let document = document(vec![enclave(&ForgedNitro::image())]).signed(&signer);
    let policy = signer
        .read(&document, NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    assert_eq!(status(&forger, policy), Tier::Affirming);
}

#[test]
fn a_corim_without_values_is_refused() {
    assert!(document(Vec::new()).read(NOW).is_err());
}

#[test]
fn nothing_is_accepted_by_a_corim_that_has_ended() {
    let forger = Arc::new(ForgedNitro::new(at(NOW)));
    let mut document = document(vec![enclave(&ForgedNitro::image())]);
    document.not_after = Some(NOW + 9);
    let policy = Sourced::of_corim("forged.corim", &document.read(NOW).unwrap());
    let policy = Arc::new(Live::<NitroPolicy>::of(policy.unwrap()));
    let verifier = NitroVerifier::dangerous_with_root(forger.root(), policy);
    let connection = Connection::new();
    let mut attester = NitroAttester::over(ForgedNitro::device(&forger)).unwrap();
    let evidence = connection.evidence(&mut attester);
    let appraised = connection.appraise(&verifier, &evidence, at(NOW)).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 10)));
    let late = connection.appraise(&verifier, &evidence, at(NOW + 10));
    let stale = Stale::expired("CoRIM of reference values", at(NOW + 10));
    assert_eq!(late.map(drop), Err(AppraisalError::StaleCollateral(stale)));
}

fn status(forger: &Arc<ForgedNitro>, policy: NitroPolicy) -> Tier {
    status_of(forger, ForgedNitro::device(forger), policy)
}

fn status_of(forger: &ForgedNitro, device: ForgedNsm, policy: NitroPolicy) -> Tier {
    let connection = Connection::new();
    let policy = Arc::new(Live::fixed(policy).unwrap());
    let verifier = NitroVerifier::dangerous_with_root(forger.root(), policy);
    let mut attester = NitroAttester::over(device).unwrap();
    let document = connection.evidence(&mut attester);
    let appraised = connection.appraise(&verifier, &document, at(NOW)).unwrap();
    appraised.ear().status()
}

/// The objection to a CoRIM of which no policy can be made.
fn problem(document: &ForgedCorim) -> String {
    let corim = document.read(NOW).unwrap();
    corim
        .dangerous_table_without_end::<NitroPolicy>()
        .unwrap_err()
        .to_string()
}

fn document(triples: Vec<Value>) -> ForgedCorim {
    ForgedCorim::new(None, triples)
}

fn enclave(image: &NitroImage) -> Value {
    of_registers(registers_of(image))
}

fn of_registers(registers: Vec<(Value, Value)>) -> Value {
    let values = [
        (integer(11), text("payments")),
        (integer(14), Value::Map(registers)),
    ];
    triple(class(), vec![measurement(None, values)])
}

fn registers() -> Value {
    Value::Map(registers_of(&ForgedNitro::image()))
}

fn registers_of(image: &NitroImage) -> Vec<(Value, Value)> {
    let registers = [image.pcr0, image.pcr1, image.pcr2].into_iter().enumerate();
    registers
        .filter_map(|(number, value)| {
            let value = digest(7, value?.as_bytes());
            Some((integer(number as i128), list(vec![value])))
        })
        .collect()
}

fn class() -> [(Value, Value); 2] {
    [
        (integer(1), text("Amazon Web Services")),
        (integer(2), text("Nitro Enclaves")),
    ]
}
