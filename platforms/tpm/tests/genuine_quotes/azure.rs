//! Keys that Azure certified.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_formats::tpm::TpmEvidence;
use atls_reference::Live;
use atls_tpm::Enroller;
use atls_tpm::EnrolmentError;
use atls_tpm::EnrolmentRequest;
use atls_tpm::KeyAuthority;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::RootCertificate;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use test_support::ready;
use test_support::vectors;

use crate::samples::azure_key;
use crate::samples::rsa;

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
