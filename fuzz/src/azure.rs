//! A forged confidential VM of Azure: a paravisor that states any runtime data, over a forged processor.

use std::sync::Arc;

use atls_azure::AzureEvidence;
use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::azure::RuntimeData;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tsm::TSM_REPORT;
use atls_reference::Live;
use atls_snp::CertTable;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedSnp;
use atls_tpm::TpmPolicy;
use atls_tpm::VouchedTpmVerifier;
use atls_tpm::testing::ForgedTpm;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::rsa::PublicKeyComponents;
use ring::signature::RSA_PKCS1_SHA256;
use rustls::crypto::ring::default_provider;

pub struct ForgedAzure {
    pub tpm: ForgedTpm,
    pub verifier: AzureVerifier,
    snp: ForgedSnp,
    certificates: CertTable,
    ak: Vec<u8>,
    key: KeyPair,
}

impl ForgedAzure {
    pub fn new() -> Self {
        let snp = ForgedSnp::new(Product::Milan).expect("a platform");
        let processor = snp.verifier(snp.policy()).expect("a verifier");
        let policy = Live::fixed(TpmPolicy::new(vec![ForgedTpm::image()])).expect("a policy");
        let tpm = VouchedTpmVerifier::new(Arc::new(policy), &default_provider());
        let policy = Arc::new(Live::fixed(AzurePolicy::default()).expect("a policy"));
        let verifier = AzureVerifier::new(policy, vec![Arc::new(processor)], Arc::new(tpm));
        Self {
            tpm: ForgedTpm::new(),
            verifier: verifier.expect("a verifier"),
            certificates: snp.certificates(),
            snp,
            ak: attestation_key(&key()),
            key: key(),
        }
    }

    /// Evidence whose processor vouches for this runtime data, and whose virtual TPM signed this.
    pub fn evidence(&self, runtime_data: &[u8], attest: &[u8]) -> AzureEvidence {
        let stated = RuntimeData::decode(runtime_data);
        let report_data = stated.map_or([0; 64], |data| data.report_data());
        let report = self.snp.signed_report(&report_data);
        let report = SnpEvidence::new(report, self.certificates.clone()).encode();
        let quote = self.quote(attest).encode().expect("encodes");
        AzureEvidence::new(
            Cmw::evidence(media_type(TSM_REPORT), report.expect("encodes")),
            runtime_data.to_vec(),
            Cmw::evidence(media_type(TPM_EVIDENCE), quote),
        )
    }

    fn quote(&self, attest: &[u8]) -> TpmEvidence {
        let mut evidence = self.tpm.seal(attest);
        evidence.ak.clone_from(&self.ak);
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        let signed = self
            .key
            .sign(&RSA_PKCS1_SHA256, &random, attest, &mut signature);
        signed.expect("a signature");
        // TPMT_SIGNATURE of RSASSA with SHA-256.
        let length = u16::try_from(signature.len())
            .expect("a short one")
            .to_be_bytes();
        evidence.signature = [&[0, 0x14, 0, 0x0b][..], &length, &signature].concat();
        evidence
    }
}

impl Default for ForgedAzure {
    fn default() -> Self {
        Self::new()
    }
}

/// The key that runtime data of the seeds names.
pub fn key() -> KeyPair {
    let key = include_bytes!("../../tests/src/forged-vtpm.pk8");
    KeyPair::from_pkcs8(key).expect("a key")
}

/// Its public area.
pub fn attestation_key(key: &KeyPair) -> Vec<u8> {
    let parts = PublicKeyComponents::<Vec<u8>>::from(key.public());
    let public = Public {
        scheme: Some(Scheme::RsaSsa(HashAlgorithm::Sha256)),
        key: PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus: parts.n,
        },
        ..ForgedTpm::new().public
    };
    public.encode().expect("encodes")
}

fn media_type(text: &str) -> MediaType {
    MediaType::parse(text).expect("a media type")
}
