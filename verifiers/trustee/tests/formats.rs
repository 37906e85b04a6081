//! The value and the content that each format reads: in genuine Evidence if the samples are at hand, and in cut and altered Evidence.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_formats::tsm::TsmReport;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_trustee::AzureVtpm;
use atls_trustee::SampleEvidence;
use atls_trustee::SnpReport;
use atls_trustee::TdxQuote;
use atls_trustee::TrusteeService;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use ciborium::Value as Cbor;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;
use test_support::snp_report;
use test_support::vectors;

#[test]
fn a_genuine_snp_report_is_taken_field_by_field() {
    let Some(vectors) = vectors() else { return };
    for (name, fmc, bootloader, microcode) in [
        ("genoa-v5-vcek", Value::Null, 10, 84),
        ("milan-v3-vcek", Value::Null, 4, 219),
    ] {
        let report = std::fs::read(vectors.join(format!("snp/{name}.report"))).unwrap();
        let vek = std::fs::read(vectors.join(format!("snp/{name}.vek.der"))).unwrap();
        let evidence = evidence(&report, &table(&[(VCEK, &vek)]));
        let json = content(&SnpReport::new(), &evidence, &report[0x50..0x90]).unwrap();
        let fields = &json["attestation_report"];
        assert_eq!(fields["report_data"], json!(report[0x50..0x90]), "{name}");
        assert_eq!(fields["measurement"], json!(report[0x90..0xc0]), "{name}");
        assert_eq!(
            fields["signature"]["s"],
            json!(report[0x2e8..0x330]),
            "{name}"
        );
        assert_eq!(fields["reported_tcb"]["fmc"], fmc, "{name}");
        assert_eq!(fields["reported_tcb"]["bootloader"], bootloader, "{name}");
        assert_eq!(fields["reported_tcb"]["microcode"], microcode, "{name}");
        let certificate = &json["cert_chain"][0];
        assert_eq!(certificate["cert_type"], "VCEK");
        assert_eq!(certificate["data"], json!(vek));
    }
}

/// Trustee reads DER, and an attester writes PEM, which is what Veraison reads.
#[test]
fn a_certificate_goes_on_in_der_whatever_it_came_in() {
    let der = [0x30, 1, 2];
    let pem = "-----BEGIN CERTIFICATE-----\nMAEC\n-----END CERTIFICATE-----\n";
    for certificate in [&der[..], pem.as_bytes()] {
        let json = with_table(0, &[(VCEK, certificate)]).unwrap();
        let expected = json!([{ "cert_type": "VCEK", "data": der }]);
        assert_eq!(json["cert_chain"], expected);
    }
}

/// Trustee refuses any chain that has not exactly one such key, and asks AMD where there is no chain.
#[test]
fn only_the_certificate_of_the_key_that_signed_goes_on() {
    let table = [
        (ARK, &[0x30, 1][..]),
        (VCEK, &[0x30, 2]),
        (VLEK, &[0x30, 3]),
    ];
    for (signer, cert_type, data) in [(0, "VCEK", [0x30, 2]), (1 << 2, "VLEK", [0x30, 3])] {
        let json = with_table(signer, &table).unwrap();
        let expected = json!([{ "cert_type": cert_type, "data": data }]);
        assert_eq!(json["cert_chain"], expected);
    }
    for without in [&table[..1], &[(VCEK, b"none")], &[]] {
        let json = with_table(0, without).unwrap();
        assert_eq!(json["cert_chain"], Value::Null);
    }
}

#[test]
fn genuine_tdx_quotes_are_read() {
    let Some(vectors) = vectors() else { return };
    let mut read = 0;
    for file in std::fs::read_dir(vectors.join("tdx")).unwrap() {
        let file = file.unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        let start = match bytes.get(..6) {
            Some([4, 0, _, _, 0x81, 0]) => 48 + 520,
            Some([5, 0, _, _, 0x81, 0]) => 54 + 520,
            _ => continue,
        };
        let report_data = &bytes[start..start + 64];
        let read_as_it_is = content(&TdxQuote::new(), &bytes, report_data);
        // The recording ends with two bytes that are not zero.
        if file.file_name() == "v4-google-SPR_E4-nocollateral.quote" {
            assert_eq!(read_as_it_is, Err(AppraisalError::Malformed));
            continue;
        }
        assert!(read_as_it_is.is_ok(), "{file:?}");
        let mut other = report_data.to_vec();
        other[63] ^= 1;
        let refused = content(&TdxQuote::new(), &bytes, &other);
        assert_eq!(refused, Err(AppraisalError::NotBound));
        read += 1;
    }
    assert!(read > 0);
}

#[test]
fn genuine_azure_evidence_carries_its_challenge_in_the_tpm_quote() {
    let Some(vectors) = vectors() else { return };
    for (name, format) in [
        ("snp-evidence-v1", AzureVtpm::snp("a/snp")),
        ("snp-evidence-v2", AzureVtpm::snp("a/snp")),
        ("tdx-evidence-v1", AzureVtpm::tdx("a/tdx")),
    ] {
        let evidence = std::fs::read(vectors.join(format!("azure/{name}.json"))).unwrap();
        let parsed: Value = serde_json::from_slice(&evidence).unwrap();
        let message = parsed["tpm_quote"]["message"].as_str().unwrap();
        // Magic, type, a name of 34 bytes with its length, and the length of what follows.
        let length = usize::from_str_radix(&message[84..88], 16).unwrap();
        let challenge: Vec<_> = (0..length)
            .map(|index| u8::from_str_radix(&message[88 + 2 * index..90 + 2 * index], 16).unwrap())
            .collect();
        assert!(length > 0, "{name}");
        assert_eq!(
            content(&format, &evidence, &challenge),
            Ok(parsed),
            "{name}"
        );
        assert_eq!(tier(&format, &evidence, &challenge), Ok(Tier::Affirming));
        let mut longer = challenge.clone();
        longer.push(0);
        for other in [&longer[..], &challenge[..length - 1], &[]] {
            let refused = content(&format, &evidence, other);
            assert_eq!(refused, Err(AppraisalError::NotBound), "{name}");
        }
    }
    // Version 0 is another form.
    let old = std::fs::read(vectors.join("azure/snp-evidence-v0.json")).unwrap();
    let refused = content(&AzureVtpm::snp("a/snp"), &old, b"challenge");
    assert_eq!(refused, Err(AppraisalError::Malformed));
}

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
    quote[48 + 120] = 1;
    let found = tier(&tdx, &azure("td_quote", &quote), b"challenge");
    assert_eq!(found, Ok(Tier::Contraindicated));
}

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

// --- Helpers -----------------------------------------------------------------------------------------------------------

const ARK: u128 = 0xc0b4_06a4_a803_4952_9743_3fb6_014c_d0ae;
const VCEK: u128 = 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd;
const VLEK: u128 = 0xa807_4bc2_a25a_483e_aae6_39c0_45a0_b8a1;

/// Evidence of version 1 with one member beside a quote that carries `challenge`.
fn azure(member: &str, bytes: &[u8]) -> Vec<u8> {
    let message = [
        "ff5443478018",
        // No name of a key, and `challenge`.
        "0000",
        "00096368616c6c656e6765",
        &"00".repeat(25),
        // Register 0 of the bank of SHA-256, and no digest.
        "00000001000b03010000",
        "0000",
    ];
    let message = message.concat();
    let mut evidence = json!({ "version": 1, "tpm_quote": { "message": message } });
    evidence[member] = BASE64_URL_SAFE.encode(bytes).into();
    evidence.to_string().into_bytes()
}

/// The report at its place. In genuine ones the keys of the TPM follow.
fn hcl_report(report: &[u8]) -> Vec<u8> {
    [b"HCLA", &[0; 28][..], report].concat()
}

/// The tier of the appraisal that precedes the service's.
fn tier(
    format: &dyn EvidenceFormat<TrusteeService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<Tier, AppraisalError> {
    let reading = checked(format, evidence, challenge)?;
    Ok(reading.local_appraisal().unwrap().status())
}

fn content(
    format: &dyn EvidenceFormat<TrusteeService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<Value, AppraisalError> {
    let reading = checked(format, evidence, challenge)?;
    Ok(reading.content().clone())
}

/// Compares the value, as the verifier does.
fn checked(
    format: &dyn EvidenceFormat<TrusteeService>,
    evidence: &[u8],
    challenge: &[u8],
) -> Result<EvidenceReading<Value>, AppraisalError> {
    let reading = format.read(evidence)?;
    if reading.carried() == challenge {
        Ok(reading)
    } else {
        Err(AppraisalError::NotBound)
    }
}

/// A report in its envelope, with the table of its host.
fn evidence(report: &[u8], table: &[u8]) -> Vec<u8> {
    let envelope = TsmReport {
        auxblob: table.to_vec(),
        outblob: report.to_vec(),
        provider: "sev_guest".to_owned(),
    };
    envelope.encode().unwrap()
}

fn tsm(entries: &[(&str, Cbor)]) -> Vec<u8> {
    let entries = entries.iter();
    let map = entries.map(|(key, value)| (Cbor::from(*key), value.clone()));
    let mut out = Vec::new();
    ciborium::into_writer(&Cbor::Map(map.collect()), &mut out).unwrap();
    out
}

/// The content for a report that this kind of key signed, with these certificates.
fn with_table(signer: u8, certificates: &[(u128, &[u8])]) -> Result<Value, AppraisalError> {
    let mut report = snp_report(&[7; 64]);
    report[0x48] = signer;
    let evidence = evidence(&report, &table(certificates));
    content(&SnpReport::new(), &evidence, &[7; 64])
}

fn table(certificates: &[(u128, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut offset = u32::try_from(24 * (certificates.len() + 1)).unwrap();
    for (guid, certificate) in certificates {
        let length = u32::try_from(certificate.len()).unwrap();
        out.extend(guid.to_be_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(length.to_le_bytes());
        offset += length;
    }
    out.extend([0; 24]);
    for (_, certificate) in certificates {
        out.extend_from_slice(certificate);
    }
    out
}
