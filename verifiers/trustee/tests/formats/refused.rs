//! Evidence that is cut, altered, or open to debugging.

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_remote::EvidenceFormat;
use atls_trustee::AzureVtpm;
use atls_trustee::SampleEvidence;
use atls_trustee::SnpReport;
use atls_trustee::TdxQuote;
use atls_trustee::TrusteeService;
use ciborium::Value as Cbor;
use proptest::prelude::*;
use serde_json::json;
use test_support::snp_report;

use crate::evidence::VCEK;
use crate::evidence::azure;
use crate::evidence::content;
use crate::evidence::evidence;
use crate::evidence::table;
use crate::evidence::tier;

/// The policy of the service does not matter.
#[test]
fn a_guest_that_may_be_debugged_or_moved_is_contraindicated() {
    let mut report = snp_report(&[7; 64]);
    let tier_of = |report: &[u8]| tier(&SnpReport::new(), &evidence(report, &[]), &[7; 64]);
    for bit in 0..26 {
        report[8..16].copy_from_slice(&(0x2_0000_u64 | 1 << bit).to_le_bytes());
        let open = matches!(bit, 18 | 19);
        assert_eq!(tier_of(&report) == Ok(Tier::Contraindicated), open, "{bit}");
        assert_eq!(tier_of(&report) == Ok(Tier::Affirming), !open, "{bit}");
    }
}

#[test]
fn a_guest_behind_azures_tpm_that_may_be_debugged_or_moved_is_contraindicated() {
    let snp = AzureVtpm::snp("a/snp");
    for bit in 0..26 {
        let mut report = snp_report(&[7; 64]);
        report[8..16].copy_from_slice(&(0x2_0000_u64 | 1 << bit).to_le_bytes());
        let hcl_report = hcl_report(&report);
        let open = matches!(bit, 18 | 19);
        let found = tier(&snp, &azure("hcl_report", &hcl_report), b"challenge");
        assert_eq!(found == Ok(Tier::Contraindicated), open, "{bit}");
        assert_eq!(found == Ok(Tier::Affirming), !open, "{bit}");
    }
    let tdx = AzureVtpm::tdx("a/tdx");
    let mut quote = test_support::td_quote(&[7; 64]);
    let found = tier(&tdx, &azure("td_quote", &quote), b"challenge");
    assert_eq!(found, Ok(Tier::Affirming));
    for attributes in OPEN {
        quote[48 + 120..48 + 128].copy_from_slice(&attributes.to_le_bytes());
        let found = tier(&tdx, &azure("td_quote", &quote), b"challenge");
        assert_eq!(found, Ok(Tier::Contraindicated), "{attributes:#x}");
    }
}

#[test]
fn a_td_that_may_be_debugged_or_moved_is_contraindicated() {
    let mut quote = test_support::td_quote(&[7; 64]);
    assert_eq!(
        tier(&TdxQuote::new(), &quote, &[7; 64]),
        Ok(Tier::Affirming)
    );
    for attributes in OPEN {
        quote[48 + 120..48 + 128].copy_from_slice(&attributes.to_le_bytes());
        let found = tier(&TdxQuote::new(), &quote, &[7; 64]);
        assert_eq!(found, Ok(Tier::Contraindicated), "{attributes:#x}");
    }
}

/// `TDATTRIBUTES` of a TD under debug, of one that is profiled, and of one that a service TD may move.
const OPEN: [u64; 3] = [1, 1 << 4, 1 << 29];

#[test]
fn azure_evidence_that_does_not_say_whether_its_guest_may_be_debugged_is_refused() {
    let (snp, tdx) = (AzureVtpm::snp("a/snp"), AzureVtpm::tdx("a/tdx"));
    let whole = hcl_report(&snp_report(&[7; 64]));
    let other = [b"ALCH", &whole[4..]].concat();
    for refused in [
        tier(
            &snp,
            &azure("hcl_report", &whole[..whole.len() - 1]),
            b"challenge",
        ),
        tier(&snp, &azure("hcl_report", &other), b"challenge"),
        tier(&snp, &azure("hcl_report", &[]), b"challenge"),
        tier(&snp, &azure("other", &whole), b"challenge"),
        tier(&tdx, &azure("hcl_report", &whole), b"challenge"),
        tier(&tdx, &azure("td_quote", &whole), b"challenge"),
    ] {
        assert_eq!(refused, Err(AppraisalError::Malformed));
    }
}

#[test]
fn a_report_that_is_wrapped_in_anything_else_is_refused() {
    let report = snp_report(&[7; 64]);
    let challenge = [7; 64];
    let good = [
        ("outblob", Cbor::Bytes(report.clone())),
        ("provider", Cbor::Text("sev_guest".to_owned())),
    ];
    assert!(content(&SnpReport::new(), &tsm(&good), &challenge).is_ok());
    let other = |change: &dyn Fn(&mut Vec<(&'static str, Cbor)>)| {
        let mut entries = good.to_vec();
        change(&mut entries);
        content(&SnpReport::new(), &tsm(&entries), &challenge)
    };
    for refused in [
        other(&|entries| entries.push(good[0].clone())),
        other(&|entries| entries.push(("manifestblob", Cbor::Bytes(Vec::new())))),
        other(&|entries| entries[1].1 = Cbor::Text("tdx_guest".to_owned())),
        other(&|entries| drop(entries.remove(1))),
        other(&|entries| drop(entries.remove(0))),
        other(&|entries| entries[0].1 = Cbor::Bytes(vec![7; 1183])),
        other(&|entries| entries[0].1 = Cbor::Bytes(vec![7; 1185])),
        other(&|entries| entries[0].1 = Cbor::Text("text".to_owned())),
        other(&|entries| entries.push(("auxblob", Cbor::Bytes(vec![1; 24])))),
        content(
            &SnpReport::new(),
            &[tsm(&good), vec![0]].concat(),
            &challenge,
        ),
    ] {
        assert_eq!(refused, Err(AppraisalError::Malformed));
    }
    let refused = content(&SnpReport::new(), &tsm(&good), &[8; 64]);
    assert_eq!(refused, Err(AppraisalError::NotBound));
}

#[test]
fn a_refusal_names_the_part_at_fault() {
    let report = snp_report(&[7; 64]);
    let mut unsigned = report.clone();
    unsigned[0x48] = 7 << 2;
    for (evidence, error, cause) in [
        (
            b"text".to_vec(),
            AppraisalError::Malformed,
            "envelope is not one of configfs-tsm",
        ),
        (
            evidence(&report, &[1; 24]),
            AppraisalError::Malformed,
            "certificate table is malformed",
        ),
        (
            evidence(&unsigned, &[]),
            AppraisalError::BadSignature,
            "report says that no key signed it",
        ),
    ] {
        let failure = SnpReport::new().read(&evidence).unwrap_err();
        assert_eq!((failure.error(), failure.cause()), (&error, cause));
    }
}

#[test]
fn truncations_are_refused_at_every_length() {
    let report = snp_report(&[7; 64]);
    let snp = evidence(&report, &table(&[(VCEK, b"certificate")]));
    for length in 0..snp.len() {
        assert!(content(&SnpReport::new(), &snp[..length], &[7; 64]).is_err());
    }
    let quote = test_support::td_quote(&[7; 64]);
    assert!(content(&TdxQuote::new(), &quote, &[7; 64]).is_ok());
    for length in 0..quote.len() {
        assert!(content(&TdxQuote::new(), &quote[..length], &[7; 64]).is_err());
    }
    // An SGX quote, and versions that have another layout.
    for (version, tee_type) in [(4, 0), (3, 0x81), (6, 0x81), (5, 0x81)] {
        let mut other = quote.clone();
        (other[0], other[4]) = (version, tee_type);
        let refused = content(&TdxQuote::new(), &other, &[7; 64]);
        assert_eq!(refused, Err(AppraisalError::Malformed), "{version}");
    }
}

#[test]
fn the_service_gets_the_value_that_was_compared() {
    // The last of two values counts, here and at Trustee.
    let twice = br#"{"svn":"1","report_data":"AQI=","report_data":"AwQ="}"#;
    let refused = content(&SampleEvidence::new(), twice, &[1, 2]);
    assert_eq!(refused, Err(AppraisalError::NotBound));
    let json = content(&SampleEvidence::new(), twice, &[3, 4]).unwrap();
    assert_eq!(json, json!({ "svn": "1", "report_data": "AwQ=" }));
    for malformed in [
        "",
        "[]",
        "{}",
        r#"{"svn":1,"report_data":"AwQ="}"#,
        r#"{"svn":"1","report_data":"!"}"#,
    ] {
        let refused = content(&SampleEvidence::new(), malformed.as_bytes(), &[3, 4]);
        assert_eq!(refused, Err(AppraisalError::Malformed), "{malformed}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let formats: [&dyn EvidenceFormat<TrusteeService>; 4] =
            [&SnpReport::new(), &TdxQuote::new(), &SampleEvidence::new(), &AzureVtpm::snp("a/b")];
        for format in formats {
            prop_assert!(format.read(&bytes).is_err());
        }
        // As a table of certificates, and as a TPM quote.
        drop(SnpReport::new().read(&evidence(&snp_report(&[7; 64]), &bytes)));
        let message: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let azure = json!({ "version": 1, "tpm_quote": { "message": format!("ff5443478018{message}") } });
        drop(AzureVtpm::snp("a/b").read(azure.to_string().as_bytes()));
    }
}

/// The report at its place. In genuine ones the keys of the TPM follow.
fn hcl_report(report: &[u8]) -> Vec<u8> {
    [b"HCLA", &[0; 28][..], report].concat()
}

fn tsm(entries: &[(&str, Cbor)]) -> Vec<u8> {
    let entries = entries.iter();
    let map = entries.map(|(key, value)| (Cbor::from(*key), value.clone()));
    let mut out = Vec::new();
    ciborium::into_writer(&Cbor::Map(map.collect()), &mut out).unwrap();
    out
}
