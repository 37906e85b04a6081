//! The values that each format finds in Evidence, forged and genuine, before anything is sent.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_sim::IMPLEMENTATION_ID;
use atls_veraison::CcaToken;
use atls_veraison::PsaToken;
use atls_veraison::SevSnpReport;
use atls_veraison::VeraisonService;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1Builder;
use coset::TaggedCborSerializable;
use proptest::prelude::*;
use test_support::vectors;

type Entries = Vec<(Value, Value)>;

/// A reading with a value, an origin, and a local appraisal of the configuration.
fn found(
    challenge: &[u8],
    origin: Origin,
    configuration: i8,
) -> Result<EvidenceReading, AppraisalError> {
    let vector = TrustVector::new().with(Category::Configuration, TrustClaim::new(configuration));
    Ok(EvidenceReading::new(challenge, origin).with_local_appraisal(Appraisal::new(vector)))
}

/// As the verifier does with the value of a connection.
fn check(
    format: &dyn EvidenceFormat<VeraisonService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<EvidenceReading, AppraisalError> {
    let carried = format.read(evidence)?;
    if carried.carried() == challenge {
        Ok(carried)
    } else {
        Err(AppraisalError::NotBound)
    }
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

fn encode(value: Value) -> Vec<u8> {
    value.to_vec().unwrap()
}

fn sign1(claims: Entries) -> Vec<u8> {
    let sign1 = CoseSign1Builder::new().payload(encode(Value::Map(claims)));
    sign1.build().to_tagged_vec().unwrap()
}

fn with(mut claims: Entries, key: i32, value: impl Into<Value>) -> Entries {
    claims.retain(|(known, _)| *known != key.into());
    claims.push((key.into(), value.into()));
    claims
}

fn without(mut claims: Entries, key: i32) -> Entries {
    claims.retain(|(known, _)| *known != key.into());
    claims
}

fn and(mut claims: Entries, key: i32, value: impl Into<Value>) -> Entries {
    claims.push((key.into(), value.into()));
    claims
}

// --- PSA -----------------------------------------------------------------------------------------------------------------

const NONCE: [u8; 32] = *b"this nonce has thirty-two bytes.";

fn psa() -> Entries {
    vec![
        (265.into(), "tag:psacertified.org,2023:psa#tfm".into()),
        (10.into(), bytes(&NONCE)),
        (2395.into(), 0x3000.into()),
        (2396.into(), Value::Bytes(vec![9; 32])),
    ]
}

fn check_psa(claims: Entries) -> Result<EvidenceReading, AppraisalError> {
    check(&PsaToken::tfm(), &sign1(claims), &NONCE)
}

#[test]
fn a_psa_token_carries_the_nonce_whole_and_once() {
    assert_eq!(check_psa(psa()), found(&NONCE, Origin::Device, 2));
    for nonce in [
        &NONCE[..31],
        &[&NONCE[..], &[0]].concat(),
        &[0; 32],
        &[0; 64],
        &[],
        &[&NONCE[..], &NONCE[..]].concat(),
    ] {
        let refused = check_psa(with(psa(), 10, bytes(nonce)));
        assert_eq!(refused, Err(AppraisalError::NotBound), "{nonce:?}");
    }
    let several = Value::Array(vec![bytes(&NONCE), bytes(&[0; 32])]);
    let text = Value::Text(String::from_utf8(NONCE.to_vec()).unwrap());
    for claims in [
        with(psa(), 10, several),
        with(psa(), 10, text),
        without(psa(), 10),
        and(psa(), 10, bytes(&NONCE)),
        and(psa(), 10, bytes(&[0; 32])),
    ] {
        assert_eq!(check_psa(claims), Err(AppraisalError::Malformed));
    }
    let empty = check(&PsaToken::tfm(), &sign1(psa()), &[]);
    assert_eq!(empty, Err(AppraisalError::NotBound));
}

#[test]
fn a_psa_token_has_the_profile_of_its_media_type() {
    let any = |claims| check(&PsaToken::any_profile(), &sign1(claims), &NONCE);
    let older = with(psa(), 265, "http://arm.com/psa/2.0.0");
    assert_eq!(check_psa(older.clone()), Err(AppraisalError::Malformed));
    assert_eq!(any(older), found(&NONCE, Origin::Device, 2));
    let oldest = and(without(psa(), 265), -75000, "PSA_IOT_PROFILE_1");
    assert_eq!(any(oldest), Err(AppraisalError::Malformed));
    let two = and(psa(), 265, "http://arm.com/psa/2.0.0");
    assert_eq!(any(two), Err(AppraisalError::Malformed));
}

#[test]
fn a_psa_token_says_whether_it_is_simulated() {
    let simulated = with(psa(), 2396, bytes(&IMPLEMENTATION_ID));
    assert_eq!(check_psa(simulated), found(&NONCE, Origin::Simulated, 2));
    let twice = and(psa(), 2396, bytes(&IMPLEMENTATION_ID));
    for claims in [without(psa(), 2396), twice] {
        assert_eq!(check_psa(claims), Err(AppraisalError::Malformed));
    }
}

#[test]
fn only_a_secured_lifecycle_is_acceptable() {
    for (code, configuration) in [
        (0x3000, 2),
        (0x3001, 2),
        (0x30ff, 2),
        (0, 96),
        (0x2fff, 96),
        (0x3100, 96),
        (0x4000, 96),
        (0xffff, 96),
    ] {
        let read = check_psa(with(psa(), 2395, code));
        let expected = found(&NONCE, Origin::Device, configuration);
        assert_eq!(read, expected, "{code:#x}");
    }
    for code in [
        (-1).into(),
        0x10000.into(),
        "secured".into(),
        bytes(&[0x30, 0]),
    ] {
        let refused = check_psa(with(psa(), 2395, code));
        assert_eq!(refused, Err(AppraisalError::Malformed));
    }
    let absent = check_psa(without(psa(), 2395));
    assert_eq!(absent, Err(AppraisalError::Malformed));
}

// --- CCA -----------------------------------------------------------------------------------------------------------------

const CHALLENGE: [u8; 64] = [7; 64];

fn platform() -> Entries {
    vec![
        (2395.into(), 0x3003.into()),
        (2396.into(), Value::Bytes(vec![9; 32])),
    ]
}

fn realm() -> Entries {
    vec![(10.into(), bytes(&CHALLENGE))]
}

fn tokens() -> Entries {
    vec![
        (44234.into(), Value::Bytes(sign1(platform()))),
        (44241.into(), Value::Bytes(sign1(realm()))),
    ]
}

fn check_cca(tokens: Entries) -> Result<EvidenceReading, AppraisalError> {
    let collection = Value::Tag(399, Box::new(Value::Map(tokens)));
    check(&CcaToken::new(), &encode(collection), &CHALLENGE)
}

fn check_realm(claims: Entries) -> Result<EvidenceReading, AppraisalError> {
    check_cca(with(tokens(), 44241, Value::Bytes(sign1(claims))))
}

#[test]
fn a_realm_token_carries_the_challenge_whole_and_once() {
    assert_eq!(check_cca(tokens()), found(&CHALLENGE, Origin::Device, 2));
    for challenge in [&CHALLENGE[..63], &CHALLENGE[..32], &[0; 64], &[], &[7; 65]] {
        let refused = check_realm(with(realm(), 10, bytes(challenge)));
        assert_eq!(refused, Err(AppraisalError::NotBound), "{challenge:?}");
    }
    for claims in [Vec::new(), and(realm(), 10, bytes(&CHALLENGE))] {
        assert_eq!(check_realm(claims), Err(AppraisalError::Malformed));
    }
}

/// The collection is not signed: an attacker would add a second realm token, for one reader or the other.
#[test]
fn a_collection_holds_two_tokens_and_nothing_else() {
    let stale = || bytes(&sign1(with(realm(), 10, bytes(&[0; 64]))));
    for key in [
        44241.into(),
        44242.into(),
        44234.into(),
        "44241".into(),
        Value::Float(44241.0),
    ] {
        let shown = format!("{key:?}");
        let mut third = tokens();
        third.push((key, stale()));
        assert_eq!(check_cca(third), Err(AppraisalError::Malformed), "{shown}");
    }
    for key in [44234, 44241] {
        let one = check_cca(without(tokens(), key));
        assert_eq!(one, Err(AppraisalError::Malformed), "{key}");
    }
    let bare = Value::Map(tokens());
    let cmw = Value::Tag(907, Box::new(Value::Map(tokens())));
    for other in [bare, cmw] {
        let refused = check(&CcaToken::new(), &encode(other), &CHALLENGE);
        assert_eq!(refused, Err(AppraisalError::Malformed));
    }
}

#[test]
fn a_platform_token_says_origin_and_lifecycle() {
    let check = |claims| check_cca(with(tokens(), 44234, bytes(&sign1(claims))));
    let debugged = check(with(platform(), 2395, 0x4000));
    assert_eq!(debugged, found(&CHALLENGE, Origin::Device, 96));
    let simulated = check(with(platform(), 2396, bytes(&IMPLEMENTATION_ID)));
    assert_eq!(simulated, found(&CHALLENGE, Origin::Simulated, 2));
    for key in [2395, 2396] {
        let refused = check(without(platform(), key));
        assert_eq!(refused, Err(AppraisalError::Malformed), "{key}");
    }
}

// --- SEV-SNP -------------------------------------------------------------------------------------------------------------

fn report() -> Vec<u8> {
    test_support::snp_report(&CHALLENGE)
}

fn tsm(report: &[u8]) -> Entries {
    vec![
        ("auxblob".into(), Value::Bytes(vec![0; 24])),
        ("outblob".into(), bytes(report)),
        ("provider".into(), "sev_guest\n".into()),
    ]
}

fn check_tsm(entries: Entries) -> Result<EvidenceReading, AppraisalError> {
    check(
        &SevSnpReport::new(),
        &encode(Value::Map(entries)),
        &CHALLENGE,
    )
}

#[test]
fn a_report_carries_the_challenge_whole() {
    assert_eq!(
        check_tsm(tsm(&report())),
        found(&CHALLENGE, Origin::Device, 2)
    );
    for index in 0x50..0x90 {
        let mut other = report();
        other[index] ^= 1;
        let refused = check_tsm(tsm(&other));
        assert_eq!(refused, Err(AppraisalError::NotBound), "{index:#x}");
    }
    for length in [0, 0x50, 0x90, 1183, 1185] {
        let mut other = report();
        other.resize(length, 0);
        let refused = check_tsm(tsm(&other));
        assert_eq!(refused, Err(AppraisalError::Malformed), "{length}");
    }
    for short in [&CHALLENGE[..32], &CHALLENGE[..63], &[]] {
        let evidence = encode(Value::Map(tsm(&report())));
        let refused = check(&SevSnpReport::new(), &evidence, short);
        assert_eq!(refused, Err(AppraisalError::NotBound));
    }
}

/// The service's reader takes names in any case, and the last of several.
#[test]
fn a_tsm_report_holds_nothing_that_another_reader_could_take_instead() {
    let mut stale = report();
    stale[0x50] ^= 1;
    let named = |name: &str| (name.into(), bytes(&stale));
    for further in [
        named("outblob"),
        named("OutBlob"),
        named("OUTBLOB"),
        named("manifestblob"),
        named(""),
        (1.into(), bytes(&stale)),
        ("auxblob".into(), bytes(&[0; 24])),
    ] {
        let shown = format!("{:?}", further.0);
        let refused = check_tsm([tsm(&report()), vec![further]].concat());
        assert_eq!(refused, Err(AppraisalError::Malformed), "{shown}");
    }
    for (index, value) in [
        (0, bytes(&[1; 24])),
        (0, "certificates".into()),
        (2, "tdx_guest".into()),
        (2, "".into()),
        (2, "sev_guest\n\n".into()),
        (2, "SEV_GUEST".into()),
    ] {
        let mut entries = tsm(&report());
        entries[index].1 = value;
        let refused = check_tsm(entries.clone());
        assert_eq!(refused, Err(AppraisalError::Malformed), "{entries:?}");
    }
    let bare = check_tsm(tsm(&report()).split_off(1));
    assert_eq!(bare, found(&CHALLENGE, Origin::Device, 2));
}

/// The service's scheme skips the policy of the guest.
#[test]
fn debugging_migration_and_lower_privilege_are_contraindicated() {
    for bit in [18, 19] {
        let mut open = report();
        open[0x08..0x10].copy_from_slice(&(0x30000_u64 | 1 << bit).to_le_bytes());
        let read = check_tsm(tsm(&open));
        assert_eq!(read, found(&CHALLENGE, Origin::Device, 96), "bit {bit}");
    }
    for (vmpl, under_1) in [(1, 2), (2, 96), (3, 96), (u32::MAX, 96)] {
        let mut lower = report();
        lower[0x30..0x34].copy_from_slice(&vmpl.to_le_bytes());
        let strict = check_tsm(tsm(&lower));
        assert_eq!(strict, found(&CHALLENGE, Origin::Device, 96), "VMPL {vmpl}");
        let lenient = SevSnpReport::new().with_highest_vmpl(1);
        let lenient = check(&lenient, &encode(Value::Map(tsm(&lower))), &CHALLENGE);
        let expected = found(&CHALLENGE, Origin::Device, under_1);
        assert_eq!(lenient, expected, "VMPL {vmpl}");
    }
}

// --- Genuine -------------------------------------------------------------------------------------------------------------

#[test]
fn genuine_evidence_carries_the_nonce_that_it_was_made_for() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let nonce = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();

    let (psa, cca, snp) = (
        PsaToken::any_profile(),
        CcaToken::new(),
        SevSnpReport::new(),
    );
    let cases: [(&dyn EvidenceFormat<VeraisonService>, _, _); 3] = [
        (
            &psa,
            "corim/psa.good.cose",
            nonce("QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk"),
        ),
        (
            &cca,
            "corim/cca-good.cbor",
            nonce(
                "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA",
            ),
        ),
        (
            &snp,
            "corim/sevsnp-tsm-report.cbor",
            b"MIDBNH28iioisjPyxxxxxxxxxxxxxxxx".repeat(2),
        ),
    ];
    for (format, file, nonce) in cases {
        let evidence = read(file);
        let good = check(format, &evidence, &nonce);
        assert_eq!(good, found(&nonce, Origin::Device, 2), "{file}");
        let other = check(format, &evidence, &vec![0; nonce.len()]);
        assert_eq!(other, Err(AppraisalError::NotBound), "{file}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let formats: [&dyn EvidenceFormat<VeraisonService>; 3] = [&PsaToken::tfm(), &CcaToken::new(), &SevSnpReport::new()];
        for format in formats {
            prop_assert!(check(format, &bytes, &NONCE).is_err());
            prop_assert!(check(format, &[&[0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0], &bytes[..]].concat(), &NONCE).is_err());
            prop_assert!(check(format, &[&[0xd9, 0x01, 0x8f, 0xa2], &bytes[..]].concat(), &NONCE).is_err());
        }
    }
}
