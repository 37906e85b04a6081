//! A **forged** SEV-SNP platform for tests, on any machine, with chip, root and revocation list of its own.
//!
//! It goes through the very same attester and verifier as a real one. Only its root tells it apart:
//! [`SnpVerifier::dangerous_with_root`] takes that root and marks results as simulated. The root's private keys are published in this
//! crate: **to trust them is to trust everybody.**
//!
//! ```
//! use atls_core::StandardPolicy;
//! use atls_snp::Product;
//! use atls_snp::testing::ForgedSnp;
//!
//! let platform = ForgedSnp::new(Product::Milan)?;
//! let attester = platform.attester()?;
//! let verifier = platform.verifier(platform.policy())?;
//! let accepting = StandardPolicy::new().dangerous_accept_simulated();
//! # let _ = (attester, verifier, accepting);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![allow(
    clippy::arithmetic_side_effects,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    reason = "a forger writes its own bytes, and a test makes them field by field"
)]

mod authority;
mod der;
mod report;
mod vek;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_formats::snp::CertTable;
use atls_formats::snp::CertificateKind;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;
use atls_formats::snp::SnpEvidence;
use atls_formats::snp::Tcb;
use atls_reference::Live;
use atls_reference::ReferenceError;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P384_SHA384_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

pub use authority::ForgedAuthority;
pub use authority::ForgedCrl;
pub use authority::ForgedKey;
pub use report::ForgedReport;
pub use vek::ForgedVek;

use crate::attester::SnpAttester;
use crate::collateral::SuppliedCollateral;
use crate::policy::MinimumTcb;
use crate::policy::SnpImage;
use crate::policy::SnpPolicy;
use crate::roots::SnpRoot;
use crate::verifier::SnpVerifier;

/// A machine and its authorities. A test may alter each field. Everything that is made afterwards has the alteration, and a good
/// signature over it: a device that lies, or a root that errs.
///
/// Everything is valid from 2020 to 2049.
#[derive(Clone)]
pub struct ForgedSnp {
    /// The processor.
    pub product: Product,
    /// The contents of reports. Their `REPORT_DATA` is that of the request.
    pub report: ForgedReport,
    /// The certificate of the key that signs them.
    pub vek: ForgedVek,
    /// The root.
    pub ark: ForgedAuthority,
    /// The intermediate: ASK, or ASVK for a VLEK.
    pub ask: ForgedAuthority,
    /// The revocation list.
    pub crl: ForgedCrl,
    key: Arc<EcdsaKeyPair>,
}

impl ForgedSnp {
    /// A machine that signs with its chip's key, which is made anew.
    ///
    /// # Errors
    /// [`AttestError`] if the system has no randomness.
    pub fn new(product: Product) -> Result<Self, AttestError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let failed = |_| AttestError::Device("system has no randomness for a key".to_owned());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(failed)?;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        let key = key.map_err(|_| AttestError::Device("key is unusable".to_owned()))?;
        let report = ForgedReport::new(product);
        Ok(Self {
            product,
            vek: ForgedVek::vcek(product, &report),
            report,
            ark: ForgedAuthority::ark(product),
            ask: ForgedAuthority::ask(product),
            crl: ForgedCrl::new(product),
            key: Arc::new(key),
        })
    }

    /// A machine that signs with the cloud provider's key.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_vlek(product: Product) -> Result<Self, AttestError> {
        let mut platform = Self::new(product)?;
        platform.report.signer = 1 << 2;
        platform.report.chip_id = [0; 64];
        platform.vek = ForgedVek::vlek(product, &platform.report);
        platform.ask = ForgedAuthority::asvk(product);
        Ok(platform)
    }

    /// A signed report over these 64 bytes.
    pub fn signed_report(&self, report_data: &[u8; 64]) -> Vec<u8> {
        let mut report = self.report.clone();
        report.report_data = *report_data;
        report.sign(&self.key)
    }

    /// The certificates of its host: VEK, intermediate and root.
    pub fn certificates(&self) -> CertTable {
        CertTable::new()
            .with(self.key_kind().certificate(), self.vek_certificate())
            .with(CertificateKind::Ask, self.ask.certificate())
            .with(CertificateKind::Ark, self.ark.certificate())
    }

    /// The VEK's certificate in DER.
    pub fn vek_certificate(&self) -> Vec<u8> {
        self.vek.certificate(self.key.public_key().as_ref())
    }

    /// Report and certificates together.
    pub fn evidence(&self, report_data: &[u8; 64]) -> SnpEvidence {
        SnpEvidence::new(self.signed_report(report_data), self.certificates())
    }

    /// A fake configfs-tsm over this machine, as it is now.
    pub fn configfs(&self) -> FakeConfigFs {
        let platform = self.clone();
        let auxblob = self.certificates().encode();
        FakeConfigFs::new(Provider::SevGuest, move |inblob| {
            let mut report_data = [0; 64];
            let length = inblob.len().min(64);
            report_data[..length].copy_from_slice(&inblob[..length]);
            Forged {
                outblob: platform.signed_report(&report_data),
                auxblob: auxblob.clone(),
            }
        })
    }

    /// The real attester over that.
    ///
    /// # Errors
    /// [`AttestError`]: never for a machine of [`configfs`](Self::configfs).
    pub fn attester(&self) -> Result<SnpAttester, AttestError> {
        let attester = SnpAttester::over(Tsm::over(self.configfs()))?;
        attester.ok_or_else(|| AttestError::Device("forged platform is none".to_owned()))
    }

    /// Its root.
    ///
    /// # Errors
    /// [`AppraisalError`] if a test altered [`ark`](Self::ark) too much.
    pub fn root(&self) -> Result<SnpRoot, AppraisalError> {
        SnpRoot::decode(&self.ark.certificate())
    }

    /// A policy that this machine meets.
    pub fn policy(&self) -> SnpPolicy {
        let tcb = |bytes| Tcb::decode(self.product, bytes).unwrap_or(EMPTY_TCB);
        let minimum = MinimumTcb {
            reported: tcb(self.report.reported_tcb),
            committed: Some(tcb(self.report.committed_tcb)),
            launch: Some(tcb(self.report.launch_tcb)),
        };
        let image = SnpImage::new("forged", self.report.measurement);
        let mut policy = SnpPolicy::new(vec![image], BTreeMap::from([(self.product, minimum)]));
        policy.allow_vlek = self.key_kind() == SigningKey::Vlek;
        policy
    }

    /// The revocation list, for a verifier. The certificates come with the Evidence.
    ///
    /// # Errors
    /// [`AppraisalError`] if a test altered [`crl`](Self::crl) too much.
    pub fn collateral(&self) -> Result<SuppliedCollateral, AppraisalError> {
        let crl = self.crl.encode();
        SuppliedCollateral::new().with_crl(self.product, self.key_kind(), &crl)
    }

    /// The real verifier with this root and revocation list.
    ///
    /// # Errors
    /// [`ReferenceError`] for a policy that fails its own check.
    pub fn verifier(&self, policy: SnpPolicy) -> Result<SnpVerifier, ReferenceError> {
        let unusable = |error: AppraisalError| ReferenceError::Meaning {
            table: "snp",
            line: 0,
            column: 0,
            field: String::new(),
            problem: error.to_string(),
        };
        let policy = Arc::new(Live::fixed(policy)?);
        let collateral = Arc::new(self.collateral().map_err(unusable)?);
        Ok(SnpVerifier::dangerous_with_root(
            self.root().map_err(unusable)?,
            policy,
            collateral,
        ))
    }

    fn key_kind(&self) -> SigningKey {
        match self.report.signer >> 2 {
            1 => SigningKey::Vlek,
            _ => SigningKey::Vcek,
        }
    }
}

impl fmt::Debug for ForgedSnp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgedSnp")
            .field("product", &self.product)
            .finish_non_exhaustive()
    }
}

const EMPTY_TCB: Tcb = Tcb {
    fmc: None,
    bootloader: 0,
    tee: 0,
    snp: 0,
    microcode: 0,
};
