//! A forged confidential VM of Azure: a forged processor, a paravisor that writes what it is told, and a virtual TPM.
#![allow(
    clippy::exhaustive_enums,
    clippy::indexing_slicing,
    reason = "a forger writes its own bytes, and a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_azure::AzureEvidence;
use atls_azure::AzurePolicy;
use atls_azure::AzureVerifier;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::combine::chain::UnboundVerifier;
use atls_formats::azure::HardwareReport;
use atls_formats::azure::HclReportWriter;
use atls_formats::azure::RuntimeData;
use atls_formats::azure::TD_REPORT_LENGTH;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::Scheme;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_formats::tsm::TSM_REPORT;
use atls_reference::Live;
use atls_snp::CertificateKind;
use atls_snp::Product;
use atls_snp::testing::ForgedSnp;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use atls_tpm::TpmPolicy;
use atls_tpm::VouchedTpmVerifier;
use atls_tpm::testing::ForgedTpm;
use axum::Json;
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::RSA_PKCS1_SHA256;
use ring::signature::RsaKeyPair;
use ring::signature::RsaPublicKeyComponents;
use rustls::crypto::ring::default_provider;
use serde_json::Value;
use serde_json::json;

/// A VM whose fields a test may alter. What it makes afterwards has the alteration, and good signatures over it.
pub struct ForgedAzure {
    pub processor: ForgedProcessor,
    pub tpm: ForgedTpm,
    /// The runtime data, but for the attestation key of [`key`](Self::key), which `keys[0]` has at first.
    pub runtime: Value,
    /// Signs quotes.
    pub key: RsaKeyPair,
    media_types: [MediaType; 1],
}

/// A processor under a root of its forger's.
#[derive(Clone)]
pub enum ForgedProcessor {
    Snp(Box<ForgedSnp>),
    Tdx(Arc<ForgedPlatform>),
}

impl ForgedAzure {
    pub fn snp() -> Self {
        let snp = ForgedSnp::new(Product::Milan).unwrap();
        Self::of(ForgedProcessor::Snp(Box::new(snp)))
    }

    /// Its collateral is valid at this time, in seconds.
    pub fn tdx(now: u64) -> Self {
        let tdx = ForgedPlatform::new(now).unwrap();
        Self::of(ForgedProcessor::Tdx(Arc::new(tdx)))
    }

    fn of(processor: ForgedProcessor) -> Self {
        let key = RsaKeyPair::from_pkcs8(include_bytes!("forged-vtpm.pk8")).unwrap();
        Self {
            processor,
            tpm: ForgedTpm::new(),
            runtime: runtime_data(&jwk(&key)),
            key,
            media_types: [collection()],
        }
    }

    /// The key of another virtual TPM.
    pub fn other_key() -> RsaKeyPair {
        RsaKeyPair::from_pkcs8(include_bytes!("other-vtpm.pk8")).unwrap()
    }

    pub fn runtime_data(&self) -> Vec<u8> {
        serde_json::to_vec(&self.runtime).unwrap()
    }

    /// What the paravisor has the processor sign.
    pub fn report_data(&self) -> [u8; 64] {
        let data = RuntimeData::decode(&self.runtime_data()).unwrap();
        data.report_data()
    }

    pub fn hcl_report(&self) -> Vec<u8> {
        hcl_report(&self.processor, &self.runtime_data(), &self.report_data())
    }

    /// The Evidence of the processor over any report data.
    pub fn cpu(&self, report_data: &[u8; 64]) -> Cmw {
        match &self.processor {
            ForgedProcessor::Snp(snp) => {
                let evidence = snp.evidence(report_data).encode().unwrap();
                Cmw::evidence(media_type(TSM_REPORT), evidence)
            }
            ForgedProcessor::Tdx(tdx) => {
                let quote = tdx.tdx_quote(&tdx.td_report(), report_data).unwrap();
                Cmw::evidence(media_type(TDX_QUOTE), quote)
            }
        }
    }

    /// A quote over anything.
    pub fn quote(&self, qualifying_data: &[u8]) -> TpmEvidence {
        let mut evidence = self.tpm.evidence(qualifying_data);
        evidence.ak = public(&self.key).encode().unwrap();
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        let signed = self
            .key
            .sign(&RSA_PKCS1_SHA256, &random, &evidence.attest, &mut signature);
        signed.unwrap();
        // TPMT_SIGNATURE of RSASSA with SHA-256.
        let length = u16::try_from(signature.len()).unwrap().to_be_bytes();
        evidence.signature = [&[0, 0x14, 0, 0x0b][..], &length, &signature].concat();
        evidence
    }

    /// The items of its collection.
    pub fn evidence(&self, qualifying_data: &[u8]) -> AzureEvidence {
        let cpu = self.cpu(&self.report_data());
        let quote = self.quote(qualifying_data).encode().unwrap();
        let quote = Cmw::evidence(media_type(TPM_EVIDENCE), quote);
        AzureEvidence::new(cpu, self.runtime_data(), quote)
    }

    /// The verifier of the processor, with its forger's root.
    pub fn processor_verifier(&self) -> Arc<dyn UnboundVerifier> {
        match &self.processor {
            ForgedProcessor::Snp(snp) => Arc::new(snp.verifier(snp.policy()).unwrap()),
            ForgedProcessor::Tdx(tdx) => {
                let mut image = TdxImage::new("forged", tdx.td_report().mrtd);
                // The paravisor is in the first image of the TD.
                image.mrtd_covers_all = true;
                let policy = TdxPolicy::up_to_date(vec![image]);
                let collateral = tdx.collateral(Tee::Tdx).unwrap();
                Arc::new(TdxVerifier::dangerous_with_root(
                    tdx.root(),
                    Arc::new(Live::fixed(policy).unwrap()),
                    Arc::new(SuppliedCollateral::new([collateral])),
                ))
            }
        }
    }

    pub fn verifier(&self) -> AzureVerifier {
        self.verifier_with(AzurePolicy::default())
    }

    pub fn verifier_with(&self, policy: AzurePolicy) -> AzureVerifier {
        azure_verifier(
            policy,
            vec![self.processor_verifier()],
            TpmPolicy::new(vec![ForgedTpm::image()]),
        )
    }
}

/// Makes Evidence by itself, without virtual TPM and metadata service.
impl LocalAttester for ForgedAzure {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let expected = qualifying_data(request.bound());
        Ok(self.evidence(expected.bytes()).into_cmw()?)
    }
}

/// A verifier of these processors, and of virtual TPMs by this policy.
pub fn azure_verifier(
    policy: AzurePolicy,
    processors: Vec<Arc<dyn UnboundVerifier>>,
    tpm: TpmPolicy,
) -> AzureVerifier {
    let tpm = VouchedTpmVerifier::new(Arc::new(Live::fixed(tpm).unwrap()), &default_provider());
    let policy = Arc::new(Live::fixed(policy).unwrap());
    AzureVerifier::new(policy, processors, Arc::new(tpm)).unwrap()
}

/// The metadata service of the host of such a VM, for plain HTTP: certificates of its processor, or quotes of a TD. It counts what it answers.
pub fn metadata_service(vm: &ForgedAzure, answered: &Arc<AtomicUsize>) -> Router {
    let answered = answered.clone();
    match &vm.processor {
        ForgedProcessor::Snp(snp) => {
            let table = snp.certificates();
            let pem = |kind| pem(table.get(kind).unwrap());
            let answer = json!({
                "vcekCert": pem(CertificateKind::Vcek),
                "certificateChain": pem(CertificateKind::Ask) + &pem(CertificateKind::Ark),
                "tcbm": "DB18000000000004",
                "cacheControl": "86400",
            });
            let certificates = async move |headers: HeaderMap| {
                assert_eq!(headers["Metadata"], "true");
                answered.fetch_add(1, Ordering::Relaxed);
                Json(answer)
            };
            Router::new().route("/metadata/THIM/amd/certification", get(certificates))
        }
        ForgedProcessor::Tdx(tdx) => {
            let tdx = tdx.clone();
            let quote = async move |Json(asked): Json<Value>| {
                answered.fetch_add(1, Ordering::Relaxed);
                let report = BASE64_URL_SAFE_NO_PAD.decode(asked["report"].as_str().unwrap());
                let report_data = report.unwrap()[128..192].try_into().unwrap();
                let quote = tdx.tdx_quote(&tdx.td_report(), &report_data).unwrap();
                Json(json!({ "quote": BASE64_URL_SAFE_NO_PAD.encode(quote) }))
            };
            Router::new().route("/acc/tdquote", post(quote))
        }
    }
}

/// The HCL report of a paravisor that writes what it is told.
pub fn hcl_report(
    processor: &ForgedProcessor,
    runtime_data: &[u8],
    report_data: &[u8; 64],
) -> Vec<u8> {
    let report = match processor {
        ForgedProcessor::Snp(snp) => snp.signed_report(report_data),
        ForgedProcessor::Tdx(_) => td_report(report_data),
    };
    let hardware = match processor {
        ForgedProcessor::Snp(_) => HardwareReport::Snp(&report),
        ForgedProcessor::Tdx(_) => HardwareReport::Tdx(&report),
    };
    let writer = HclReportWriter {
        hardware,
        runtime_data,
    };
    writer.encode().unwrap()
}

/// Runtime data as Azure writes it, with this attestation key.
pub fn runtime_data(attestation_key: &Value) -> Value {
    json!({
        "keys": [attestation_key],
        "vm-configuration": {
            "console-enabled": true,
            "secure-boot": true,
            "tpm-enabled": true,
            "vmUniqueId": "26F8BC30-774E-4290-8E7A-535F3B672AEE",
        },
        "user-data": "00".repeat(64),
    })
}

/// The attestation key as runtime data has it, of modulus and exponent.
pub fn attestation_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kid": "HCLAkPub", "kty": "RSA", "key_ops": ["sign"],
        "n": text(modulus), "e": text(exponent),
    })
}

pub fn jwk(key: &RsaKeyPair) -> Value {
    let parts = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
    attestation_jwk(&parts.n, &parts.e)
}

fn public(key: &RsaKeyPair) -> Public {
    let parts = RsaPublicKeyComponents::<Vec<u8>>::from(key.public());
    Public {
        scheme: Some(Scheme::RsaSsa(HashAlgorithm::Sha256)),
        key: PublicKey::Rsa {
            bits: 2048,
            exponent: 0,
            modulus: parts.n,
        },
        ..ForgedTpm::new().public
    }
}

/// A `TDREPORT`, which only its own machine could verify.
fn td_report(report_data: &[u8; 64]) -> Vec<u8> {
    let mut report = vec![0; TD_REPORT_LENGTH];
    report[0] = 0x81;
    report[128..192].copy_from_slice(report_data);
    report
}

fn collection() -> MediaType {
    MediaType::of_collection(atls_formats::azure::AZURE_COLLECTION).unwrap()
}

fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn media_type(text: &str) -> MediaType {
    text.parse().unwrap()
}
