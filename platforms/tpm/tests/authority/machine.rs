//! A virtual machine of a cloud, and the appraisal of its Evidence.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::LocalAttester;
use atls_core::RecordedAppraisal;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::TpmEvidence;
use atls_reference::Live;
use atls_tpm::KeyAuthority;
use atls_tpm::Measurement;
use atls_tpm::RootCertificate;
use atls_tpm::TpmAttester;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::SwtpmProcess;
use rustls::CipherSuite;
use test_support::Connection;
use test_support::ready;

use crate::cloud::Cloud;
use crate::cloud::aik;
use crate::support;

/// A virtual machine of a cloud: its TPM has the cloud's template, and the certificate of the key that it makes.
pub(crate) struct Machine {
    pub(crate) tpm: SwtpmProcess,
    pub(crate) cloud: Cloud,
    pub(crate) public: Public,
    pub(crate) certificate: Vec<u8>,
}

impl Machine {
    pub(crate) fn started() -> Option<Self> {
        let tpm = started(SwtpmProcess::start())?;
        tpm.measure(4, HashAlgorithm::Sha256, b"kernel").unwrap();
        let mut template = ForgedTpm::new().public;
        if let PublicKey::Ecc { x, y, .. } = &mut template.key {
            (*x, *y) = (vec![1; 32], Vec::new());
        }
        tpm.store(TEMPLATE, &template.encode().unwrap()).unwrap();
        let attester = TpmAttester::over(tpm.device()).unwrap();
        let key = attester
            .with_template_at(TEMPLATE)
            .attestation_key()
            .unwrap();
        let public = Public::decode(key.as_bytes()).unwrap();
        let cloud = Cloud::new();
        let certificate = cloud.certify(&public, aik());
        // Behind it the index is filled up.
        let stored = [&certificate[..], &[0xff; 100]].concat();
        tpm.store(CERTIFICATE, &stored).unwrap();
        Some(Self {
            tpm,
            cloud,
            public,
            certificate,
        })
    }

    pub(crate) fn evidence(&self) -> TpmEvidence {
        let intermediate = CertificateDer::from(self.cloud.intermediate.clone());
        let mut attester = TpmAttester::over(self.tpm.device())
            .unwrap()
            .with_template_at(TEMPLATE)
            .with_ak_certificate_at(CERTIFICATE, [intermediate]);
        let connection = Connection::with_suite(CipherSuite::TLS13_AES_128_GCM_SHA256);
        let cmw = attester.attest(connection.to_attest()).unwrap();
        TpmEvidence::decode(cmw.items().first().unwrap().value()).unwrap()
    }

    pub(crate) fn appraise(
        &self,
        evidence: &TpmEvidence,
        at: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        appraised_under(&self.cloud.root, evidence, at)
    }
}

pub(crate) fn appraised_under(
    root: &CertificateDer<'static>,
    evidence: &TpmEvidence,
    at: UnixTime,
) -> Result<RecordedAppraisal, AppraisalError> {
    let root = RootCertificate::new(root.clone()).unwrap();
    appraised_by(KeyAuthority::new("cloud", root), evidence, at)
}

pub(crate) fn appraised_by(
    authority: KeyAuthority,
    evidence: &TpmEvidence,
    at: UnixTime,
) -> Result<RecordedAppraisal, AppraisalError> {
    let keys = TpmKeys::new(Vec::new()).with_authorities(vec![authority]);
    let bank = HashAlgorithm::Sha256;
    let value = bank.digest(&[&[0; 32], &bank.digest(&[b"kernel"])]);
    let register = (support::pcr(4), Measurement::new(&value).unwrap());
    let policy = TpmPolicy::new(vec![TpmImage::measured("kernel", [register])]);
    let verifier = TpmVerifier::new(
        Arc::new(Live::fixed(policy).unwrap()),
        Arc::new(Live::fixed(keys).unwrap()),
        &rustls::crypto::ring::default_provider(),
    );
    let evidence = evidence.clone().encode().unwrap();
    ready(verifier.appraise_recorded(&evidence, at))
}

pub(crate) fn later() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}

pub(crate) fn started(tpm: io::Result<SwtpmProcess>) -> Option<SwtpmProcess> {
    match tpm {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let required = std::env::var_os("ATLS_REQUIRE_SWTPM").is_some();
            assert!(!required, "no swtpm on this machine");
            println!("SKIPPED: no swtpm on this machine");
            None
        }
        tpm => Some(tpm.unwrap()),
    }
}

/// Where Google Cloud has a template of ECC, and the certificate of its key.
pub(crate) const TEMPLATE: u32 = 0x01c1_0003;
pub(crate) const CERTIFICATE: u32 = 0x01c1_0002;
