//! Genuine Evidence, field by field.

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_trustee::AzureVtpm;
use atls_trustee::SnpReport;
use atls_trustee::TdxQuote;
use serde_json::Value;
use serde_json::json;
use test_support::snp_report;
use test_support::vectors;

use crate::evidence::VCEK;
use crate::evidence::content;
use crate::evidence::evidence;
use crate::evidence::table;
use crate::evidence::tier;

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

const ARK: u128 = 0xc0b4_06a4_a803_4952_9743_3fb6_014c_d0ae;

const VLEK: u128 = 0xa807_4bc2_a25a_483e_aae6_39c0_45a0_b8a1;

/// The content for a report that this kind of key signed, with these certificates.
fn with_table(signer: u8, certificates: &[(u128, &[u8])]) -> Result<Value, AppraisalError> {
    let mut report = snp_report(&[7; 64]);
    report[0x48] = signer;
    let evidence = evidence(&report, &table(certificates));
    content(&SnpReport::new(), &evidence, &[7; 64])
}
