//! Quotes of TPMs that others made: `swtpm`, and the TPMs of Azure's confidential VMs.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_formats::tpm::Attest;
use atls_formats::tpm::Attributes;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TpmEvidence;
use atls_reference::Live;
use atls_tpm::AttestationKey;
use atls_tpm::Enroller;
use atls_tpm::EnrolmentError;
use atls_tpm::EnrolmentRequest;
use atls_tpm::KeyAuthority;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::RootCertificate;
use atls_tpm::TpmClaims;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use support::Connection;
use support::at;
use support::ready;
use support::vectors;

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
        let connection = Connection::new(rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
        let evidence = sample.evidence.clone().encode().unwrap();
        let refused = connection.appraise(&sample.verifier(), &evidence).map(drop);
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

/// The key of a vTPM of Azure, whose certificate chains to Microsoft's root.
#[test]
fn a_key_that_azure_certified_is_enrolled_at_its_time() {
    let Some(vectors) = vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(vectors.join("azure").join(name)).unwrap();
    let text = read("tdx-flashbots-1780922561.evidence.yaml");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let pem = lines.join("\n");
    let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    let mut certificates: Vec<_> = certificates.map(Result::unwrap).collect();
    let certificate = certificates.remove(0);
    let mut report = lines
        .iter()
        .skip_while(|line| !line.starts_with("hcl_report"));
    let report = report.nth(1).unwrap().trim_end_matches('=');
    let ak = azure_key(&BASE64_URL_SAFE_NO_PAD.decode(report).unwrap());

    let root = read("azure-virtual-tpm-root-2023.pem");
    let root = CertificateDer::from_pem_slice(root.as_bytes()).unwrap();
    let provider = rustls::crypto::ring::default_provider();
    let enroller = Enroller::new([root.clone()], &provider).with_intermediates(certificates);
    let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let made = at(1_780_922_561);
    let key = enroller
        .certified_key("vm", &ak, &certificate, made)
        .unwrap();
    assert!(key.ak_certificate.is_some() && key.ek_certificate.is_none());

    let refused = |enroller: &Enroller, ak: &[u8], certificate: &[u8], at| {
        enroller.certified_key("vm", ak, certificate, at).map(drop)
    };
    let chain = Err(EnrolmentError::Chain);
    let late = at(1_880_000_000);
    assert_eq!(refused(&enroller, &ak, &certificate, late), chain);
    let bare = Enroller::new([root], &provider);
    assert_eq!(refused(&bare, &ak, &certificate, made), chain);
    let other = refused(&enroller, &rsa(vec![0xc5; 256]), &certificate, made);
    assert_eq!(other, Err(EnrolmentError::OtherKey));
    for index in (0..certificate.len()).step_by(7) {
        let mut altered = certificate.to_vec();
        altered[index] ^= 1;
        assert!(refused(&enroller, &ak, &altered, made).is_err(), "{index}");
    }
    // A certificate of an endorsement key is for another purpose.
    let request = EnrolmentRequest {
        ak,
        ek_certificate: certificate.to_vec(),
    };
    let credential = enroller.challenge(&request, made).map(drop);
    assert_eq!(credential, Err(EnrolmentError::Chain));
}

/// The quote that came with it, under the root of Microsoft alone.
#[test]
fn a_quote_by_a_key_that_azure_certified_is_verified_at_its_time() {
    let Some(vectors) = vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(vectors.join("azure").join(name)).unwrap();
    let text = read("tdx-flashbots-1780922561.evidence.yaml");
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let mut report = lines
        .iter()
        .skip_while(|line| !line.starts_with("hcl_report"));
    let report = report.nth(1).unwrap().trim_end_matches('=');
    let certificates = lines.join("\n");
    let certificates = CertificateDer::pem_slice_iter(certificates.as_bytes());
    let certificates = certificates.flat_map(|certificate| certificate.unwrap().to_vec());
    let certificates: Vec<u8> = certificates.collect();
    let signature = bytes_of(&lines, "signature:", "message:");
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    let evidence = TpmEvidence {
        ak: azure_key(&BASE64_URL_SAFE_NO_PAD.decode(report).unwrap()),
        ak_certificates: Some(certificates),
        attest: bytes_of(&lines, "message:", "pcrs:"),
        pcrs: bytes_of(&lines, "pcrs:", "event_log:"),
        signature: [&[0, 0x14, 0, 0x0b][..], &length, &signature].concat(),
        ..TpmEvidence::default()
    };
    let root = |name: &str| {
        let root = CertificateDer::from_pem_slice(read(name).as_bytes()).unwrap();
        KeyAuthority::new("azure", RootCertificate::new(root).unwrap())
    };
    let appraise = |authority, seconds| {
        let keys = TpmKeys::new(Vec::new()).with_authorities(vec![authority]);
        let register = (
            PcrIndex::new(4).unwrap(),
            Measurement::new(&[1; 32]).unwrap(),
        );
        let policy = TpmPolicy::new(vec![TpmImage::measured("another", [register])]);
        let (policy, keys) = (Live::fixed(policy).unwrap(), Live::fixed(keys).unwrap());
        let provider = rustls::crypto::ring::default_provider();
        let verifier = TpmVerifier::new(Arc::new(policy), Arc::new(keys), &provider);
        let evidence = evidence.clone().encode().unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        ready(verifier.appraise_recorded(&evidence, at)).map(|recorded| recorded.ear().status())
    };
    let azure = || root("azure-virtual-tpm-root-2023.pem");
    // The boot is none that the policy knows, and the key is.
    assert_eq!(appraise(azure(), 1_780_922_561), Ok(Tier::Contraindicated));
    let unknown = Err(AppraisalError::UnknownKey);
    assert_eq!(appraise(azure(), 1_880_000_000), unknown, "after it ended");
    let other = root("microsoft-rsa-devices-root-ca-2021.pem");
    assert_eq!(appraise(other, 1_780_922_561), unknown, "another root");
}

/// The numbers of a list between two names.
fn bytes_of(lines: &[&str], from: &str, to: &str) -> Vec<u8> {
    let lines = lines.iter().skip_while(|line| **line != from).skip(1);
    let lines = lines.take_while(|line| !line.starts_with(to));
    let numbers = lines.map(|line| line.trim_start_matches(['-', ' ']).parse().unwrap());
    numbers.collect()
}

struct Sample {
    name: String,
    evidence: TpmEvidence,
    /// The last quoted register that something was measured into.
    register: Option<(u8, Vec<u8>)>,
}

impl Sample {
    fn new(name: &str, ak: Vec<u8>, attest: Vec<u8>, signature: Vec<u8>, pcrs: Vec<u8>) -> Self {
        let selections = Attest::decode(&attest).unwrap().selections;
        let banks = PcrValues::split(&selections, &pcrs).unwrap();
        let mut registers = banks[0].values.iter().rev();
        let measured = |value: &[u8]| value.iter().any(|byte| ![0, 0xff].contains(byte));
        // PCR16 and PCR23, which software resets, are none to name.
        let register = registers.find(|(pcr, value)| **pcr < 16 && measured(value));
        Self {
            name: name.to_owned(),
            register: register.map(|(index, value)| (*index, value.clone())),
            evidence: TpmEvidence {
                ak,
                attest,
                pcrs,
                signature,
                ..TpmEvidence::default()
            },
        }
    }

    fn verifier(&self) -> TpmVerifier {
        let key = AttestationKey::decode(&self.evidence.ak).unwrap();
        let keys = TpmKeys::new(vec![TrustedKey::provided("sample", key)]);
        let other = (0, vec![1; 32]);
        let (index, value) = self.register.as_ref().unwrap_or(&other);
        let register = PcrIndex::new(*index).unwrap();
        let register = (register, Measurement::new(value).unwrap());
        let mut image = TpmImage::measured("sample", [register]);
        // Samples do not all have register 4.
        image.dangerous_any_boot_code = true;
        let policy = TpmPolicy::new(vec![image]);
        let provider = rustls::crypto::ring::default_provider();
        let (policy, keys) = (Live::fixed(policy).unwrap(), Live::fixed(keys).unwrap());
        TpmVerifier::new(Arc::new(policy), Arc::new(keys), &provider)
    }

    fn appraise(
        &self,
        evidence: &TpmEvidence,
    ) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
        let evidence = evidence.clone().encode().unwrap();
        ready(self.verifier().appraise_recorded(&evidence, at()))
    }
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

/// The key is in the runtime data behind the hardware report, as a JWK.
fn azure(vectors: &Path, name: &str) -> Sample {
    let text = std::fs::read_to_string(vectors.join(format!("{name}.json"))).unwrap();
    let evidence: Value = serde_json::from_str(&text).unwrap();
    let quote = &evidence["tpm_quote"];
    let report = BASE64_URL_SAFE
        .decode(text_of(&evidence["hcl_report"]))
        .unwrap();
    let ak = azure_key(&report);
    let signature = hexadecimal(text_of(&quote["signature"]));
    let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
    let signature = [&[0, 0x14, 0, 0x0b][..], &length, &signature].concat();
    let pcrs = quote["pcrs"].as_array().unwrap().iter();
    let pcrs = pcrs.flat_map(|pcr| hexadecimal(text_of(pcr))).collect();
    let attest = hexadecimal(text_of(&quote["message"]));
    Sample::new(name, ak, attest, signature, pcrs)
}

/// The key in the runtime data of a report.
fn azure_key(report: &[u8]) -> Vec<u8> {
    let mut places = report.windows(8);
    let start = places.position(|bytes| bytes == b"{\"keys\":").unwrap();
    let runtime = serde_json::Deserializer::from_slice(&report[start..]);
    let runtime = runtime.into_iter::<Value>().next().unwrap().unwrap();
    let mut keys = runtime["keys"].as_array().unwrap().iter();
    let ak = keys.find(|key| key["kid"] == "HCLAkPub").unwrap();
    rsa(BASE64_URL_SAFE_NO_PAD.decode(text_of(&ak["n"])).unwrap())
}

/// The public area that such a key has.
fn rsa(modulus: Vec<u8>) -> Vec<u8> {
    let public = Public {
        name_algorithm: HashAlgorithm::Sha256,
        attributes: Attributes(0x0005_0072),
        auth_policy: Vec::new(),
        aes_bits: None,
        scheme: Some(Scheme::RsaSsa(HashAlgorithm::Sha256)),
        key: PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus,
        },
    };
    public.encode().unwrap()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
