//! Quotes that are affirmed, altered, or of another connection.

use std::path::Path;

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_formats::tpm::Attest;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::AttestationKey;
use atls_tpm::TpmClaims;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use test_support::Connection;
use test_support::vectors;

use crate::samples::Sample;
use crate::samples::azure;
use crate::samples::hexadecimal;
use crate::samples::rsa;
use crate::samples::text_of;
use crate::support::at;

#[test]
fn genuine_quotes_are_affirmed() {
    for sample in samples() {
        let recorded = sample.appraise(&sample.evidence).unwrap();
        let status = match sample.register {
            Some(_) => Tier::Affirming,
            None => Tier::Contraindicated,
        };
        assert_eq!(recorded.ear().status(), status, "{}", sample.name);
        let attest = Attest::decode(&sample.evidence.attest).unwrap();
        assert_eq!(recorded.challenge(), attest.extra_data);
        assert_eq!(attest.encode().unwrap(), sample.evidence.attest);
        // None of them is a primary key of the endorsement hierarchy.
        assert!(!recorded.claims::<TpmClaims>().unwrap().has_plain_counters);
    }
}

#[test]
fn a_flipped_bit_in_a_genuine_quote_is_refused() {
    for sample in samples() {
        let fields: [fn(&mut TpmEvidence) -> &mut Vec<u8>; 3] = [
            |evidence| &mut evidence.attest,
            |evidence| &mut evidence.signature,
            |evidence| &mut evidence.pcrs,
        ];
        for field in fields {
            let length = field(&mut sample.evidence.clone()).len();
            for index in 0..length {
                let mut other = sample.evidence.clone();
                field(&mut other)[index] ^= 1 << (index % 8);
                assert!(sample.appraise(&other).is_err(), "{} {index}", sample.name);
            }
        }
    }
}

#[test]
fn a_genuine_quote_of_another_connection_is_refused() {
    for sample in samples() {
        let connection = Connection::with_suite(rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
        let evidence = sample.evidence.clone().encode().unwrap();
        let refused = connection
            .appraise(&sample.verifier(), &evidence, at())
            .map(drop);
        assert_eq!(refused, Err(AppraisalError::NotBound), "{}", sample.name);
    }
}

#[test]
fn the_name_of_a_key_is_what_its_tpm_says() {
    let Some(vectors) = vectors() else { return };
    let read = |name: &str| std::fs::read(vectors.join("tpm").join(name)).unwrap();
    let key = AttestationKey::decode(&read("swtpm-ak.tpmt")).unwrap();
    assert_eq!(key.name(), read("swtpm-ak.name"));
}

fn samples() -> Vec<Sample> {
    let Some(vectors) = vectors() else {
        return Vec::new();
    };
    let vectors_of_tpms = vectors.join("tpm");
    let mut samples = vec![swtpm(&vectors_of_tpms), trustee(&vectors_of_tpms)];
    for name in ["snp-evidence-v1", "snp-evidence-v2", "tdx-evidence-v1"] {
        samples.push(azure(&vectors.join("azure"), name));
    }
    samples
}

fn swtpm(vectors: &Path) -> Sample {
    let read = |name: &str| std::fs::read(vectors.join(name)).unwrap();
    let (attest, signature) = (
        read("swtpm-quote.tpms_attest"),
        read("swtpm-quote.tpmt_signature"),
    );
    Sample::new(
        "swtpm",
        read("swtpm-ak.tpmt"),
        attest,
        signature,
        read("swtpm-pcrs.bin"),
    )
}

/// The key is there as certificates have it, and nothing was measured into any register.
fn trustee(vectors: &Path) -> Sample {
    let text = std::fs::read_to_string(vectors.join("trustee-swtpm-evidence.json")).unwrap();
    let evidence: Value = serde_json::from_str(&text).unwrap();
    let quote = &evidence["tpm_quote"];
    let bytes = |value: &Value| BASE64_STANDARD.decode(text_of(value)).unwrap();
    let modulus = bytes(&evidence["ak_public"])[33..289].to_vec();
    let pcrs = quote["pcrs"].as_array().unwrap().iter();
    let pcrs = pcrs.flat_map(|pcr| hexadecimal(text_of(pcr))).collect();
    let (attest, signature) = (bytes(&quote["message"]), bytes(&quote["signature"]));
    Sample::new("trustee", rsa(modulus), attest, signature, pcrs)
}
