//! The layout of quotes: three versions, two bodies, and one kind of certification data.
//!
//! Intel SGX ECDSA QuoteGenReference (DCAP), "Quote Format" for version 3; Intel TDX DCAP Quoting Library API,
//! appendix "Quote Format" for versions 4 and 5. Integers are little-endian.
//!
//! ```text
//! quote    = header(48) ‖ [ body type(2) ‖ body size(4) ]  (version 5)  ‖ body ‖ length(4) ‖ signature data
//! header   = version(2) ‖ key type(2) ‖ TEE type(4) ‖ QE SVN(2) ‖ PCE SVN(2) ‖ QE vendor(16) ‖ user data(20)
//! version 3 signature data = signature(64) ‖ attestation key(64) ‖ certification
//! version 4, 5             = signature(64) ‖ attestation key(64) ‖ 6(2) ‖ length(4) ‖ certification
//! certification = QE report(384) ‖ signature(64) ‖ 32(2) ‖ authentication data(32) ‖ 5(2) ‖ length(4) ‖ PEM chain
//! ```
//!
//! The signature covers header and body. Every length and type after them is unsigned, so each is compared with the one
//! value that it can have.

use super::error::QuoteFormatError;
use super::pem;
use super::reader::Reader;
use super::report::Report;
use super::report::SGX_REPORT;
use super::report::SgxReport;
use super::report::TD_REPORT;
use super::report::TD_REPORT_15;
use super::report::TD_REPORT_15_EXTENDED;
use super::report::TdReport;
use crate::printed::printed_by_name;

/// The technology that made a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the two that DCAP serves")]
pub enum Tee {
    /// An SGX enclave.
    Sgx,
    /// A TDX trust domain.
    Tdx,
}

/// A quote. Its layout was checked, and nothing else.
#[derive(Clone)]
#[non_exhaustive]
pub struct Quote<'a> {
    /// The whole quote, without padding.
    pub bytes: &'a [u8],
    /// The report of the TD or enclave.
    pub report: Report,
    /// Header and body, which the attestation key signs.
    pub signed: &'a [u8],
    /// `r ‖ s`.
    pub signature: &'a [u8; 64],
    /// `x ‖ y`.
    pub attestation_key: &'a [u8; 64],
    /// The Quoting Enclave's report as the PCK signs it.
    pub qe_report: &'a [u8; 384],
    /// The fields of that report.
    pub qe: SgxReport,
    /// `r ‖ s`.
    pub qe_signature: &'a [u8; 64],
    /// Covered by the QE report together with the attestation key.
    pub qe_authentication: &'a [u8; 32],
    /// DER: PCK certificate, its issuer, the root.
    pub chain: Vec<Vec<u8>>,
}

printed_by_name!(Quote<'_>, "Quote");

impl<'a> Quote<'a> {
    /// Reads a quote of this technology. Zero bytes may follow it, as several drivers give out whole buffers; nothing else
    /// may.
    ///
    /// # Errors
    /// [`QuoteFormatError`] for anything else, with the part that is wrong.
    pub fn decode(bytes: &'a [u8], tee: Tee) -> Result<Self, QuoteFormatError> {
        if bytes.len() > MAX_QUOTE {
            return Err(QuoteFormatError::of("longer than 16 KiB"));
        }
        let mut reader = Reader::of(bytes);
        let (version, report) = header_and_body(&mut reader, tee)?;
        let signed = reader.read_of(bytes)?;
        let length = reader.length()?;
        let mut data = Reader::of(reader.take(length)?);
        if reader.rest.iter().any(|byte| *byte != 0) {
            return Err(QuoteFormatError::of("bytes after the quote"));
        }
        let signature = data.reference()?;
        let attestation_key = data.reference()?;
        if version != 3 {
            certification(&mut data, QE_REPORT_CERTIFICATION)?;
        }
        let qe_report: &[u8; 384] = data.reference()?;
        let qe_signature = data.reference()?;
        if data.u16()? != QE_AUTHENTICATION {
            return Err(QuoteFormatError::of("QE authentication data"));
        }
        let qe_authentication = data.reference()?;
        certification(&mut data, PCK_CERTIFICATE_CHAIN)?;
        let chain = pem::decode(data.rest).ok_or_else(|| QuoteFormatError::of("PCK chain"))?;
        // A fourth certificate would be one that nothing verifies.
        if chain.len() != 3 {
            return Err(QuoteFormatError::of("PCK chain"));
        }
        Ok(Self {
            bytes: reader.read_of(bytes)?,
            report,
            signed,
            signature,
            attestation_key,
            qe_report,
            qe: SgxReport::decode(qe_report)?,
            qe_signature,
            qe_authentication,
            chain,
        })
    }

    /// SGX or TDX.
    pub fn tee(&self) -> Tee {
        match self.report {
            Report::Sgx(_) => Tee::Sgx,
            Report::Td(_) => Tee::Tdx,
        }
    }
}

/// Reads the part that the attestation key signs: the version and the report.
fn header_and_body(reader: &mut Reader<'_>, tee: Tee) -> Result<(u16, Report), QuoteFormatError> {
    let version = reader.u16()?;
    let key_type = reader.u16()?;
    let tee_type = reader.u32()?;
    let _qe_and_pce_svn = reader.take(4)?;
    let vendor = reader.array()?;
    let _user_data = reader.take(20)?;
    let size = match (tee, tee_type, version) {
        (Tee::Sgx, SGX, 3) => SGX_REPORT,
        (Tee::Tdx, TDX, 4) => TD_REPORT,
        (Tee::Tdx, TDX, 5) => {
            let expected = match reader.u16()? {
                2 => TD_REPORT,
                3 => TD_REPORT_15,
                4 => TD_REPORT_15_EXTENDED,
                _ => return Err(QuoteFormatError::of("body type")),
            };
            if reader.length()? != expected {
                return Err(QuoteFormatError::of("body size"));
            }
            expected
        }
        _ => return Err(QuoteFormatError::of("version or TEE type")),
    };
    if key_type != ECDSA_P256 {
        return Err(QuoteFormatError::of("attestation key type"));
    }
    if vendor != INTEL_QE_VENDOR {
        return Err(QuoteFormatError::of("QE vendor"));
    }
    let body = reader.take(size)?;
    let report = match tee {
        Tee::Sgx => Report::Sgx(SgxReport::decode(body)?),
        Tee::Tdx => Report::Td(TdReport::decode(body)?),
    };
    Ok((version, report))
}

/// Certification data of the one expected type, which reaches to the end.
fn certification(reader: &mut Reader<'_>, kind: u16) -> Result<(), QuoteFormatError> {
    if reader.u16()? != kind {
        return Err(QuoteFormatError::of("certification data type"));
    }
    if reader.length()? != reader.rest.len() {
        return Err(QuoteFormatError::of("certification data length"));
    }
    Ok(())
}

/// Bytes. Quotes have about 5,000, padded ones 8,000.
const MAX_QUOTE: usize = 16 * 1024;

/// `ECDSA-256-with-P-256 curve`.
pub(super) const ECDSA_P256: u16 = 2;

/// TEE types.
pub(super) const SGX: u32 = 0;
pub(super) const TDX: u32 = 0x81;

/// 939a7233-f79c-4ca9-940a-0db3957f0607: Intel's Quoting Enclaves.
pub(super) const INTEL_QE_VENDOR: [u8; 16] = [
    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
];

/// QE Report Certification Data.
pub(super) const QE_REPORT_CERTIFICATION: u16 = 6;
/// Concatenated PCK certificate chain in PEM. The other types would need a request to a place that the peer names.
pub(super) const PCK_CERTIFICATE_CHAIN: u16 = 5;

/// Bytes of QE authentication data, always.
pub(super) const QE_AUTHENTICATION: u16 = 32;
