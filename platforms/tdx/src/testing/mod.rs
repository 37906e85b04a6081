//! A **forged** platform under a root of its own: quotes and collateral that go through the very same verifier.
//!
//! Nothing here is any use against Intel's root. A verifier accepts it only if it was made by
//! [`TdxVerifier::dangerous_with_root`](crate::TdxVerifier::dangerous_with_root) with [`ForgedPlatform::root`].
//!
//! ```
//! # use std::sync::Arc;
//! # use atls_reference::Live;
//! # use atls_tdx::testing::ForgedPlatform;
//! # use atls_tdx::{SuppliedCollateral, Tee, TdxImage, TdxPolicy, TdxVerifier};
//! let platform = ForgedPlatform::new(1_800_000_000)?;
//! let report = platform.td_report();
//! let image = TdxImage { mrtd_covers_all: true, ..TdxImage::new("forged", report.mrtd) };
//! let verifier = TdxVerifier::dangerous_with_root(
//!     platform.root(),
//!     Arc::new(Live::fixed(TdxPolicy::up_to_date(vec![image]))?),
//!     Arc::new(SuppliedCollateral::new([platform.collateral(Tee::Tdx)?])),
//! );
//! let quote = platform.tdx_quote(&report, &[0x5a; 64])?;
//! # let _ = (verifier, quote);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod documents;
mod pki;

use std::fmt;

use atls_formats::dcap::QuoteToSign;
use atls_formats::dcap::Report;
use atls_formats::dcap::SignatureData;
use ring::digest;

use crate::collateral::Collateral;
use crate::collateral::CollateralParts;
use crate::policy::TcbStatus;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::Tee;
use atls_formats::dcap::pem;
use pki::Key;

/// Keys, and what there is to be said about the platform. Change a field, then make quotes and collateral.
#[allow(
    clippy::exhaustive_structs,
    reason = "a test sets it up field by field"
)]
pub struct ForgedPlatform {
    /// When it all is issued, in seconds since the epoch.
    pub now: u64,
    /// For how many days documents and revocation lists serve.
    pub days: u64,
    /// For how many days the PCK certificate is valid.
    pub pck_days: u64,
    /// FMSPC.
    pub fmspc: [u8; 6],
    /// PPID.
    pub ppid: [u8; 16],
    /// Each component of `CPUSVN`, and the SVN of the PCE.
    pub svn: u8,
    /// `ISVSVN` of the Quoting Enclave.
    pub qe_svn: u16,
    /// `MRSIGNER` of the Quoting Enclave; the QE Identity demands [`QE_SIGNER`].
    pub qe_signer: [u8; 32],
    /// `ATTRIBUTES` of the Quoting Enclave.
    pub qe_attributes: [u8; 16],
    /// Levels of the platform, best first.
    pub platform_levels: Vec<ForgedLevel>,
    /// Levels of the TDX module `TDX_01`, best first.
    pub module_levels: Vec<ForgedLevel>,
    /// Levels of the Quoting Enclave, best first.
    pub qe_levels: Vec<ForgedLevel>,
    /// Of the TCB Info.
    pub tcb_evaluation_data_number: u32,
    /// Of the QE Identity.
    pub qe_evaluation_data_number: u32,
    /// In the PCK certificate.
    pub dynamic_platform: bool,
    /// In the PCK certificate.
    pub cached_keys: bool,
    /// In the PCK certificate.
    pub smt: bool,
    /// What the revocation lists name.
    pub revoked: Vec<ForgedCertificate>,
    keys: Keys,
    root: Vec<u8>,
}

/// One TCB level.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a test sets it up field by field"
)]
pub struct ForgedLevel {
    /// The least SVN of every component.
    pub svn: u8,
    /// What the platform then is.
    pub status: TcbStatus,
    /// `tcbDate`, in seconds since the epoch.
    pub date: u64,
    /// `advisoryIDs`.
    pub advisories: Vec<String>,
}

/// A certificate that can be revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no others")]
pub enum ForgedCertificate {
    /// The platform's own.
    Pck,
    /// The issuer of the platform's.
    PckIssuer,
    /// The signer of TCB Info and QE Identity.
    TcbSigner,
}

struct Keys {
    root: Key,
    issuer: Key,
    signer: Key,
    pck: Key,
    attestation: Key,
}

impl ForgedPlatform {
    /// A platform that is up to date.
    ///
    /// # Errors
    /// [`ForgeError`] where the system has no randomness.
    pub fn new(now: u64) -> Result<Self, ForgeError> {
        let level = |svn| ForgedLevel {
            svn,
            status: TcbStatus::UpToDate,
            date: now.saturating_sub(100 * DAY),
            advisories: Vec::new(),
        };
        let keys = Keys {
            root: Key::generate()?,
            issuer: Key::generate()?,
            signer: Key::generate()?,
            pck: Key::generate()?,
            attestation: Key::generate()?,
        };
        Ok(Self {
            now,
            days: 30,
            pck_days: 7 * 365,
            fmspc: [0x90, 0xc0, 0x6f, 0, 0, 0],
            ppid: *b"forged processor",
            svn: 5,
            qe_svn: 4,
            qe_signer: QE_SIGNER,
            qe_attributes: 0x11_u128.to_le_bytes(),
            platform_levels: vec![level(5)],
            module_levels: vec![level(4)],
            qe_levels: vec![level(4)],
            tcb_evaluation_data_number: 20,
            qe_evaluation_data_number: 20,
            dynamic_platform: true,
            cached_keys: true,
            smt: true,
            revoked: Vec::new(),
            root: pki::root(&keys.root)?,
            keys,
        })
    }

    /// The root that everything leads to, in DER.
    pub fn root(&self) -> Vec<u8> {
        self.root.clone()
    }

    /// A TD without anything to object to, of TDX 1.0; its measurements are recognisable.
    pub fn td_report(&self) -> TdReport {
        body::td_report()
    }

    /// An enclave without anything to object to; its measurements are recognisable.
    pub fn sgx_report(&self) -> SgxReport {
        body::sgx_report(self)
    }

    /// A quote over a report, whose own report data is replaced: version 4, or 5 where the report has what bodies of
    /// TDX 1.5 add.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn tdx_quote(
        &self,
        report: &TdReport,
        report_data: &[u8; 64],
    ) -> Result<Vec<u8>, ForgeError> {
        let report = TdReport {
            report_data: *report_data,
            ..report.clone()
        };
        self.quote(&Report::Td(report))
    }

    /// A quote of version 3 over a report, whose own report data is replaced.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn sgx_quote(
        &self,
        report: &SgxReport,
        report_data: &[u8; 64],
    ) -> Result<Vec<u8>, ForgeError> {
        let report = SgxReport {
            report_data: *report_data,
            ..report.clone()
        };
        self.quote(&Report::Sgx(report))
    }

    /// Documents and revocation lists.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn collateral(&self, tee: Tee) -> Result<Collateral, ForgeError> {
        let tcb_info = documents::tcb_info(self, tee)?;
        let qe_identity = documents::qe_identity(self, tee)?;
        let chain = pki::signer_chain(self)?;
        Collateral::new(CollateralParts {
            tcb_info_signature: self.keys.signer.sign(tcb_info.as_bytes())?,
            tcb_info,
            tcb_info_issuer_chain: chain.clone(),
            qe_identity_signature: self.keys.signer.sign(qe_identity.as_bytes())?,
            qe_identity,
            qe_identity_issuer_chain: chain,
            pck_crl: pki::pck_crl(self)?,
            root_ca_crl: pki::root_crl(self)?,
        })
        .map_err(|_| ForgeError)
    }

    /// Issuer of the PCK certificates and root, in DER: what Intel's service sends beside the revocation list.
    ///
    /// # Errors
    /// [`ForgeError`]
    pub fn pck_issuer_chain(&self) -> Result<Vec<Vec<u8>>, ForgeError> {
        Ok(vec![pki::issuer(self)?, self.root()])
    }

    /// A certificate chain in PEM, as quotes and DCAP tools have it.
    pub fn pem_of(chain: &[Vec<u8>]) -> String {
        pem::encode(chain)
    }

    /// A certificate chain as Intel's service puts it into a header: percent-encoded PEM.
    pub fn header_of(chain: &[Vec<u8>]) -> String {
        Self::pem_of(chain)
            .bytes()
            .map(|byte| match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect()
    }

    fn quote(&self, report: &Report) -> Result<Vec<u8>, ForgeError> {
        let quote = QuoteToSign::over(report).ok_or(ForgeError)?;
        let attestation_key = self.keys.attestation.coordinates();
        let authentication = [0x5a; 32];
        let covered = [attestation_key, &authentication].concat();
        let covered = digest::digest(&digest::SHA256, &covered);
        let qe_report = body::qe_report(self, covered.as_ref());
        let data = SignatureData {
            signature: &array(&self.keys.attestation.sign(quote.bytes())?)?,
            attestation_key: &array(attestation_key)?,
            qe_report: &qe_report,
            qe_signature: &array(&self.keys.pck.sign(&qe_report)?)?,
            qe_authentication: &authentication,
            chain: &pki::pck_chain(self)?,
        };
        quote.with_signature(&data).ok_or(ForgeError)
    }
}

impl fmt::Debug for ForgedPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgedPlatform").finish_non_exhaustive()
    }
}

/// The system has no randomness, or a time is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("platform cannot be forged")]
#[non_exhaustive]
pub struct ForgeError;

fn array(bytes: &[u8]) -> Result<[u8; 64], ForgeError> {
    bytes.try_into().map_err(|_| ForgeError)
}

/// Who signs the Quoting Enclave that the QE Identity knows.
pub const QE_SIGNER: [u8; 32] = *b"who signs forged quoting enclave";

/// Seconds.
const DAY: u64 = 24 * 60 * 60;
