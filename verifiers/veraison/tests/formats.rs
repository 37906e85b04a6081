//! What each format finds in Evidence, forged and genuine, before anything is sent.
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
use coset::CoseSign1;
use coset::CoseSign1Builder;
use coset::TaggedCborSerializable;
use proptest::prelude::*;
use test_support::vectors;

type Entries = Vec<(Value, Value)>;

fn judged(
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
        (10.into(), Value::Bytes(NONCE.to_vec())),
        (2395.into(), 0x3000.into()),
        (2396.into(), Value::Bytes(vec![9; 32])),
    ]
}

fn check_psa(claims: Entries) -> Result<EvidenceReading, AppraisalError> {
    check(&PsaToken::tfm(), &sign1(claims), &NONCE)
}

#[test]
fn a_psa_token_carries_the_nonce_whole_and_once() {
    assert_eq!(check_psa(psa()), judged(&NONCE, Origin::Device, 2));
    for nonce in [
        &NONCE[..31],
        &[&NONCE[..], &[0]].concat(),
        &[0; 32],
        &[0; 64],
        &[],
        &[&NONCE[..], &NONCE[..]].concat(),
    ] {
        let claims = with(psa(), 10, Value::Bytes(nonce.to_vec()));
        assert_eq!(
            check_psa(claims),
            Err(AppraisalError::NotBound),
            "{nonce:?}"
        );
    }
    let several = Value::Array(vec![
        Value::Bytes(NONCE.to_vec()),
        Value::Bytes(vec![0; 32]),
    ]);
    assert_eq!(
        check_psa(with(psa(), 10, several)),
        Err(AppraisalError::Malformed)
    );
    let text = Value::Text(String::from_utf8(NONCE.to_vec()).unwrap());
    assert_eq!(
        check_psa(with(psa(), 10, text)),
        Err(AppraisalError::Malformed)
    );
    assert_eq!(
        check_psa(without(psa(), 10)),
        Err(AppraisalError::Malformed)
    );
    for other in [NONCE, [0; 32]] {
        let twice = and(psa(), 10, Value::Bytes(other.to_vec()));
        assert_eq!(check_psa(twice), Err(AppraisalError::Malformed));
    }
    assert_eq!(
        check(&PsaToken::tfm(), &sign1(psa()), &[]),
        Err(AppraisalError::NotBound)
    );
}

#[test]
fn a_psa_token_is_of_the_profile_of_its_media_type() {
    let older = with(psa(), 265, "http://arm.com/psa/2.0.0");
    assert_eq!(check_psa(older.clone()), Err(AppraisalError::Malformed));
    assert_eq!(
        check(&PsaToken::any_profile(), &sign1(older), &NONCE),
        judged(&NONCE, Origin::Device, 2)
    );
    let oldest = and(without(psa(), 265), -75000, "PSA_IOT_PROFILE_1");
    assert_eq!(
        check(&PsaToken::any_profile(), &sign1(oldest), &NONCE),
        Err(AppraisalError::Malformed)
    );
    let two = and(psa(), 265, "http://arm.com/psa/2.0.0");
    assert_eq!(
        check(&PsaToken::any_profile(), &sign1(two), &NONCE),
        Err(AppraisalError::Malformed)
    );
}

#[test]
fn a_psa_token_says_whether_it_is_simulated() {
    let simulated = with(psa(), 2396, Value::Bytes(IMPLEMENTATION_ID.to_vec()));
    assert_eq!(check_psa(simulated), judged(&NONCE, Origin::Simulated, 2));
    assert_eq!(
        check_psa(without(psa(), 2396)),
        Err(AppraisalError::Malformed)
    );
    let twice = and(psa(), 2396, Value::Bytes(IMPLEMENTATION_ID.to_vec()));
    assert_eq!(check_psa(twice), Err(AppraisalError::Malformed));
}

#[test]
fn only_a_secured_lifecycle_is_acceptable() {
    for code in [0x3000, 0x3001, 0x30ff] {
        assert_eq!(
            check_psa(with(psa(), 2395, code)),
            judged(&NONCE, Origin::Device, 2),
            "{code:#x}"
        );
    }
    for code in [0, 0x2fff, 0x3100, 0x4000, 0xffff] {
        assert_eq!(
            check_psa(with(psa(), 2395, code)),
            judged(&NONCE, Origin::Device, 96),
            "{code:#x}"
        );
    }
    for code in [
        Value::from(-1),
        0x10000.into(),
        "secured".into(),
        Value::Bytes(vec![0x30, 0]),
    ] {
        assert_eq!(
            check_psa(with(psa(), 2395, code)),
            Err(AppraisalError::Malformed)
        );
    }
    assert_eq!(
        check_psa(without(psa(), 2395)),
        Err(AppraisalError::Malformed)
    );
}

#[test]
fn a_psa_token_is_a_tagged_sign1_and_nothing_else() {
    let token = sign1(psa());
    let untagged = CoseSign1::from_tagged_slice(&token)
        .unwrap()
        .to_vec()
        .unwrap();
    let mut trailing = token.clone();
    trailing.push(0);
    let detached = CoseSign1Builder::new().build().to_tagged_vec().unwrap();
    let array = CoseSign1Builder::new()
        .payload(encode(Value::Array(Vec::new())))
        .build();
    for bytes in [
        untagged,
        trailing,
        detached,
        array.to_tagged_vec().unwrap(),
        encode(Value::Map(psa())),
    ] {
        assert_eq!(
            check(&PsaToken::tfm(), &bytes, &NONCE),
            Err(AppraisalError::Malformed)
        );
    }
    for length in 0..token.len() {
        assert!(
            check(&PsaToken::tfm(), &token[..length], &NONCE).is_err(),
            "{length}"
        );
    }
    let deep = [vec![0x81; 100_000], vec![0]].concat();
    assert_eq!(
        check(&PsaToken::tfm(), &deep, &NONCE),
        Err(AppraisalError::Malformed)
    );
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
    vec![(10.into(), Value::Bytes(CHALLENGE.to_vec()))]
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
    assert_eq!(check_cca(tokens()), judged(&CHALLENGE, Origin::Device, 2));
    for challenge in [&CHALLENGE[..63], &CHALLENGE[..32], &[0; 64], &[], &[7; 65]] {
        let claims = with(realm(), 10, Value::Bytes(challenge.to_vec()));
        assert_eq!(
            check_realm(claims),
            Err(AppraisalError::NotBound),
            "{challenge:?}"
        );
    }
    assert_eq!(check_realm(Vec::new()), Err(AppraisalError::Malformed));
    let twice = and(realm(), 10, Value::Bytes(CHALLENGE.to_vec()));
    assert_eq!(check_realm(twice), Err(AppraisalError::Malformed));
}

/// The collection is not signed: an attacker would add a second realm token, for one reader or the other.
#[test]
fn a_collection_holds_two_tokens_and_nothing_else() {
    let stale = Value::Bytes(sign1(with(realm(), 10, Value::Bytes(vec![0; 64]))));
    for key in [44241, 44242, 44234] {
        assert_eq!(
            check_cca(and(tokens(), key, stale.clone())),
            Err(AppraisalError::Malformed),
            "{key}"
        );
    }
    let mut named = tokens();
    named.push(("44241".into(), stale.clone()));
    assert_eq!(check_cca(named), Err(AppraisalError::Malformed));
    let mut fraction = tokens();
    fraction.push((Value::Float(44241.0), stale));
    assert_eq!(check_cca(fraction), Err(AppraisalError::Malformed));
    assert_eq!(
        check_cca(without(tokens(), 44234)),
        Err(AppraisalError::Malformed)
    );
    assert_eq!(
        check_cca(without(tokens(), 44241)),
        Err(AppraisalError::Malformed)
    );
    let bare = encode(Value::Map(tokens()));
    assert_eq!(
        check(&CcaToken::new(), &bare, &CHALLENGE),
        Err(AppraisalError::Malformed)
    );
    let cmw = encode(Value::Tag(907, Box::new(Value::Map(tokens()))));
    assert_eq!(
        check(&CcaToken::new(), &cmw, &CHALLENGE),
        Err(AppraisalError::Malformed)
    );
}

#[test]
fn a_platform_token_says_origin_and_lifecycle() {
    let check = |claims| check_cca(with(tokens(), 44234, Value::Bytes(sign1(claims))));
    assert_eq!(
        check(with(platform(), 2395, 0x4000)),
        judged(&CHALLENGE, Origin::Device, 96)
    );
    let simulated = with(platform(), 2396, Value::Bytes(IMPLEMENTATION_ID.to_vec()));
    assert_eq!(check(simulated), judged(&CHALLENGE, Origin::Simulated, 2));
    assert_eq!(
        check(without(platform(), 2395)),
        Err(AppraisalError::Malformed)
    );
    assert_eq!(
        check(without(platform(), 2396)),
        Err(AppraisalError::Malformed)
    );
}

// --- SEV-SNP -------------------------------------------------------------------------------------------------------------

fn report() -> Vec<u8> {
    test_support::snp_report(&CHALLENGE)
}

fn tsm(report: &[u8]) -> Entries {
    vec![
        ("auxblob".into(), Value::Bytes(vec![0; 24])),
        ("outblob".into(), Value::Bytes(report.to_vec())),
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
        judged(&CHALLENGE, Origin::Device, 2)
    );
    for index in 0x50..0x90 {
        let mut other = report();
        other[index] ^= 1;
        assert_eq!(
            check_tsm(tsm(&other)),
            Err(AppraisalError::NotBound),
            "{index:#x}"
        );
    }
    for length in [0, 0x50, 0x90, 1183, 1185] {
        let mut other = report();
        other.resize(length, 0);
        assert_eq!(
            check_tsm(tsm(&other)),
            Err(AppraisalError::Malformed),
            "{length}"
        );
    }
    for short in [&CHALLENGE[..32], &CHALLENGE[..63], &[]] {
        let evidence = encode(Value::Map(tsm(&report())));
        assert_eq!(
            check(&SevSnpReport::new(), &evidence, short),
            Err(AppraisalError::NotBound)
        );
    }
}

/// The service's reader takes names in any case, and the last of several.
#[test]
fn a_tsm_report_holds_nothing_that_another_reader_could_take_instead() {
    let mut stale = report();
    stale[0x50] ^= 1;
    for name in ["outblob", "OutBlob", "OUTBLOB", "manifestblob", ""] {
        let mut entries = tsm(&report());
        entries.push((name.into(), Value::Bytes(stale.clone())));
        assert_eq!(check_tsm(entries), Err(AppraisalError::Malformed), "{name}");
    }
    assert_eq!(
        check_tsm(and(tsm(&report()), 1, Value::Bytes(stale))),
        Err(AppraisalError::Malformed)
    );
    for provider in ["tdx_guest", "", "sev_guest\n\n", "SEV_GUEST"] {
        let mut entries = tsm(&report());
        entries[2].1 = provider.into();
        assert_eq!(
            check_tsm(entries),
            Err(AppraisalError::Malformed),
            "{provider:?}"
        );
    }
    let mut endless = tsm(&report());
    endless[0].1 = Value::Bytes(vec![1; 24]);
    assert_eq!(check_tsm(endless), Err(AppraisalError::Malformed));
    let mut text = tsm(&report());
    text[0].1 = "certificates".into();
    assert_eq!(check_tsm(text), Err(AppraisalError::Malformed));
    let mut twice = tsm(&report());
    twice.push(("auxblob".into(), Value::Bytes(vec![0; 24])));
    assert_eq!(check_tsm(twice), Err(AppraisalError::Malformed));
    let mut bare = tsm(&report());
    bare.remove(0);
    assert_eq!(check_tsm(bare), judged(&CHALLENGE, Origin::Device, 2));
}

/// The service's scheme skips the policy of the guest.
#[test]
fn debugging_migration_and_lower_privilege_are_contraindicated() {
    for bit in [18, 19] {
        let mut open = report();
        open[0x08..0x10].copy_from_slice(&(0x30000_u64 | 1 << bit).to_le_bytes());
        assert_eq!(
            check_tsm(tsm(&open)),
            judged(&CHALLENGE, Origin::Device, 96),
            "bit {bit}"
        );
    }
    for vmpl in [1, 2, 3, u32::MAX] {
        let mut lower = report();
        lower[0x30..0x34].copy_from_slice(&vmpl.to_le_bytes());
        assert_eq!(
            check_tsm(tsm(&lower)),
            judged(&CHALLENGE, Origin::Device, 96),
            "VMPL {vmpl}"
        );
        let evidence = encode(Value::Map(tsm(&lower)));
        let lenient = check(
            &SevSnpReport::new().with_highest_vmpl(1),
            &evidence,
            &CHALLENGE,
        );
        assert_eq!(
            lenient,
            judged(&CHALLENGE, Origin::Device, if vmpl == 1 { 2 } else { 96 })
        );
    }
}

// --- Genuine -------------------------------------------------------------------------------------------------------------

#[test]
fn genuine_evidence_carries_the_nonce_that_it_was_made_for() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let nonce = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();

    let psa = nonce("QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk");
    let token = read("corim/psa.good.cose");
    assert_eq!(
        check(&PsaToken::any_profile(), &token, &psa),
        judged(&psa, Origin::Device, 2)
    );
    assert_eq!(
        check(&PsaToken::any_profile(), &token, &[0; 32]),
        Err(AppraisalError::NotBound)
    );

    let cca = nonce(
        "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA",
    );
    let token = read("corim/cca-good.cbor");
    assert_eq!(
        check(&CcaToken::new(), &token, &cca),
        judged(&cca, Origin::Device, 2)
    );
    assert_eq!(
        check(&CcaToken::new(), &token, &[0; 64]),
        Err(AppraisalError::NotBound)
    );

    let snp = *b"MIDBNH28iioisjPyxxxxxxxxxxxxxxxxMIDBNH28iioisjPyxxxxxxxxxxxxxxxx";
    let report = read("corim/sevsnp-tsm-report.cbor");
    assert_eq!(
        check(&SevSnpReport::new(), &report, &snp),
        judged(&snp, Origin::Device, 2)
    );
    assert_eq!(
        check(&SevSnpReport::new(), &report, &[0; 64]),
        Err(AppraisalError::NotBound)
    );
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
