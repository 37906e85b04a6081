//! Reference values out of a CoRIM, and which quotes are accepted by them.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use ::corim::cbor::value::Value;
use atls_core::AppraisalError;
use atls_core::Stale;
use atls_core::combine::chain::SignedVerifier;
use atls_core::combine::chain::UnboundEvidence;
use atls_core::ear::Tier;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_reference::Live;
use atls_reference::Sourced;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::VouchedTpmVerifier;
use atls_tpm::testing::ForgedTpm;
use test_support::corim::ForgedCorim;
use test_support::corim::Signer;
use test_support::corim::digest;
use test_support::corim::integer;
use test_support::corim::list;
use test_support::corim::measurement;
use test_support::corim::tag;
use test_support::corim::text;
use test_support::corim::triple;
use test_support::ready;

use support::at;

const NOW: u64 = 1_800_000_000;

#[test]
fn a_machine_is_accepted_by_its_corim_alone() {
    let policy: TpmPolicy = document(vec![machine(&[(4, value(4))])])
        .read(NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    let mut expected = ForgedTpm::image();
    expected.name = "web".to_owned();
    assert_eq!(policy, TpmPolicy::new(vec![expected]));
    assert_eq!(status(policy), Tier::Affirming);
}

#[test]
fn every_register_narrows() {
    for pcr in (0..24).filter(|pcr| *pcr != 4) {
        let registers = [(4, value(4)), (pcr, vec![0xee; 32])];
        let document = document(vec![machine(&registers)]);
        let policy = document
            .read(NOW)
            .unwrap()
            .dangerous_table_without_end()
            .unwrap();
        assert_ne!(status(policy), Tier::Affirming, "{pcr}");
    }
    let other = document(vec![machine(&[(4, vec![0xee; 32])])]);
    let policy = other
        .read(NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    assert_ne!(status(policy), Tier::Affirming);
}

#[test]
fn a_policy_is_added_to() {
    let mut policy = TpmPolicy::new(vec![TpmImage::measured("other", ForgedTpm::image().pcr)]);
    policy.images[0].pcr.insert(
        support::pcr(7),
        atls_tpm::Measurement::new(&[1; 32]).unwrap(),
    );
    policy.secure_boot = true;
    assert_ne!(status(policy.clone()), Tier::Affirming);
    let corim = document(vec![machine(&[(4, value(4))])]).read(NOW).unwrap();
    let policy = corim.dangerous_added_without_end(policy).unwrap();
    assert_eq!((policy.images.len(), policy.secure_boot), (2, true));
    assert_eq!(status(policy), Tier::Affirming);
}

#[test]
fn each_bank_is_read() {
    for (algorithm, size, bank) in [
        (1, 32, HashAlgorithm::Sha256),
        (7, 48, HashAlgorithm::Sha384),
        (8, 64, HashAlgorithm::Sha512),
    ] {
        let entry = (integer(4), list(vec![digest(algorithm, &vec![1; size])]));
        let document = document(vec![of_registers(vec![entry])]);
        let policy: TpmPolicy = document
            .read(NOW)
            .unwrap()
            .dangerous_table_without_end()
            .unwrap();
        assert_eq!(policy.images[0].bank, bank);
    }
}

#[test]
fn another_profile_or_class_is_refused() {
    let good = || machine(&[(4, value(4))]);
    let profile = tag(32, text("tag:amd.com,2024:snp-corim-profile"));
    let problem_of = problem(&ForgedCorim::new(Some(profile), vec![good()]));
    assert!(problem_of.contains("profile"), "{problem_of}");
    let values = || {
        vec![measurement(
            None,
            [(integer(14), registers(&[(4, value(4))]))],
        )]
    };
    for other in [
        triple([(integer(2), text("TPM 2.0"))], values()),
        triple(
            [
                (integer(1), text("Amazon Web Services")),
                (integer(2), text("Nitro Enclaves")),
            ],
            values(),
        ),
        triple(
            [
                (integer(1), text("Trusted Computing Group")),
                (integer(2), text("TPM 2.0")),
                (integer(3), integer(1)),
            ],
            values(),
        ),
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
    let sha256 = || list(vec![digest(1, &[1; 32])]);
    let both = list(vec![digest(1, &[1; 32]), digest(7, &[1; 48])]);
    let four = || (integer(4), sha256());
    for (registers, named) in [
        (vec![four(), (integer(24), sha256())], "Number(24)"),
        (
            vec![four(), (integer(1 << 32), sha256())],
            "Number(4294967296)",
        ),
        (vec![(text("pcr4"), sha256())], "pcr4"),
        (vec![(integer(4), both)], "Number(4)"),
        (
            vec![four(), (integer(7), list(vec![digest(7, &[1; 48])]))],
            "two triples",
        ),
        (
            vec![(integer(4), list(vec![digest(1, &[0; 32])]))],
            "nothing is measured",
        ),
        (vec![(integer(7), sha256())], "boot code"),
        (vec![(integer(16), sha256())], "leaves open"),
    ] {
        let text = problem(&document(vec![of_registers(registers)]));
        assert!(text.contains(named), "{text}");
    }
    let svn = vec![measurement(
        None,
        [
            (integer(1), integer(3)),
            (integer(14), registers(&[(4, value(4))])),
        ],
    )];
    let svn = problem(&document(vec![triple(class(), svn)]));
    assert!(svn.contains("svn would not"), "{svn}");
    let none = vec![measurement(None, [(integer(11), text("web"))])];
    let none = problem(&document(vec![triple(class(), none)]));
    assert!(none.contains("no integrity-registers"), "{none}");
}

#[test]
fn a_signed_corim_makes_the_same_policy() {
    let signer = Signer::new();
    let document = document(vec![machine(&[(4, value(4))])]).signed(&signer);
    let policy = signer
        .read(&document, NOW)
        .unwrap()
        .dangerous_table_without_end()
        .unwrap();
    assert_eq!(status(policy), Tier::Affirming);
}

#[test]
fn keys_are_in_no_corim() {
    let corim = document(vec![machine(&[(4, value(4))])]).read(NOW).unwrap();
    assert!(corim.dangerous_table_without_end::<TpmKeys>().is_err());
}

#[test]
fn nothing_is_accepted_by_a_corim_that_has_ended() {
    let forged = ForgedTpm::new();
    let mut document = document(vec![machine(&[(4, value(4))])]);
    document.not_after = Some(NOW + 9);
    let policy = Sourced::of_corim("forged.corim", &document.read(NOW).unwrap());
    let policy = Arc::new(Live::<TpmPolicy>::of(policy.unwrap()));
    let keys = Live::fixed(TpmKeys::new(vec![forged.trusted("web")])).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let known = TpmVerifier::new(policy.clone(), Arc::new(keys), &provider);
    let vouched = VouchedTpmVerifier::new(policy, &provider);
    let evidence = forged.evidence(b"nonce").encode().unwrap();
    let media_type = atls_core::MediaType::parse(TPM_EVIDENCE).unwrap();
    let unbound = UnboundEvidence::new(&media_type, &evidence);
    let end = |now: u64| {
        let now = test_support::at(now);
        let recorded = ready(known.appraise_recorded(&evidence, now));
        let signed = ready(vouched.appraise_signed(&unbound, now));
        [
            recorded.map(|result| result.ear().expires_at()),
            signed.map(|result| result.appraisal().ear().expires_at()),
        ]
    };
    let last = test_support::at(NOW + 10);
    assert_eq!(end(NOW + 9), [Ok(Some(last)), Ok(Some(last))]);
    let stale = Stale::expired("CoRIM of reference values", last);
    for refused in end(NOW + 10) {
        assert_eq!(refused, Err(AppraisalError::StaleCollateral(stale)));
    }
}

fn status(policy: TpmPolicy) -> Tier {
    let forged = ForgedTpm::new();
    let verifier = TpmVerifier::new(
        Arc::new(Live::fixed(policy).unwrap()),
        Arc::new(Live::fixed(TpmKeys::new(vec![forged.trusted("web")])).unwrap()),
        &rustls::crypto::ring::default_provider(),
    );
    let evidence = forged.evidence(b"nonce").encode().unwrap();
    let recorded = ready(verifier.appraise_recorded(&evidence, at())).unwrap();
    recorded.ear().status()
}

/// The objection to a CoRIM of which no policy can be made.
fn problem(document: &ForgedCorim) -> String {
    let corim = document.read(NOW).unwrap();
    corim
        .dangerous_table_without_end::<TpmPolicy>()
        .unwrap_err()
        .to_string()
}

fn document(triples: Vec<Value>) -> ForgedCorim {
    ForgedCorim::new(None, triples)
}

fn machine(values: &[(u8, Vec<u8>)]) -> Value {
    let Value::Map(registers) = registers(values) else {
        panic!("a map");
    };
    of_registers(registers)
}

fn of_registers(registers: Vec<(Value, Value)>) -> Value {
    let values = [
        (integer(11), text("web")),
        (integer(14), Value::Map(registers)),
    ];
    triple(class(), vec![measurement(None, values)])
}

/// In the order of an encoding.
fn registers(values: &[(u8, Vec<u8>)]) -> Value {
    let mut values = values.to_vec();
    values.sort();
    let entries = values.iter().map(|(pcr, value)| {
        let value = list(vec![digest(1, value)]);
        (integer((*pcr).into()), value)
    });
    Value::Map(entries.collect())
}

fn class() -> [(Value, Value); 2] {
    [
        (integer(1), text("Trusted Computing Group")),
        (integer(2), text("TPM 2.0")),
    ]
}

fn value(pcr: u8) -> Vec<u8> {
    ForgedTpm::log().value(pcr).to_vec()
}
