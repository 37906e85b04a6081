//! Reports of SEV-SNP, genuine Evidence, and arbitrary bytes.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_veraison::CcaToken;
use atls_veraison::PsaToken;
use atls_veraison::SevSnpReport;
use atls_veraison::VeraisonService;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value;
use proptest::prelude::*;
use test_support::vectors;

use crate::found::CHALLENGE;
use crate::found::Entries;
use crate::found::NONCE;
use crate::found::bytes;
use crate::found::check;
use crate::found::encode;
use crate::found::found;

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
