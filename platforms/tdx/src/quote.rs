//! The quote's layout: exact lengths, known kinds, nothing left over.
//!
//! Intel SGX ECDSA QuoteGenReference (DCAP), "Quote Format" for version 3; Intel TDX DCAP Quoting Library API,
//! appendix "Quote Format" for versions 4 and 5. Integers are little-endian.
//!
//! ```text
//! quote    = header(48) ‖ [ body type(2) ‖ body size(4) ]  (version 5)  ‖ body ‖ length(4) ‖ signature data
//! version 3 signature data = signature(64) ‖ attestation key(64) ‖ certification
//! version 4, 5             = signature(64) ‖ attestation key(64) ‖ 6(2) ‖ length(4) ‖ certification
//! certification = QE report(384) ‖ signature(64) ‖ 32(2) ‖ authentication data(32) ‖ 5(2) ‖ length(4) ‖ PEM chain
//! ```
//!
//! The signature covers header and body; every length and type after them is unsigned, so each is compared with the one
//! value that it can have.

use crate::error::QuoteError;
use crate::pem;

/// Which technology made a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(clippy::exhaustive_enums, reason = "the two that DCAP serves")]
pub enum Tee {
    /// An SGX enclave.
    Sgx,
    /// A TDX trust domain.
    Tdx,
}

/// A quote whose layout was checked, and nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Quote<'a> {
    /// The whole, without padding.
    pub(crate) octets: &'a [u8],
    pub(crate) tee: Tee,
    /// Header and body: what the attestation key signs.
    pub(crate) signed: &'a [u8],
    /// `r ‖ s`, 64 octets.
    pub(crate) signature: &'a [u8],
    /// `x ‖ y`, 64 octets.
    pub(crate) attestation_key: &'a [u8],
    /// 384 octets, signed by the PCK.
    pub(crate) qe_report: &'a [u8],
    /// `r ‖ s`, 64 octets.
    pub(crate) qe_signature: &'a [u8],
    /// 32 octets, covered by the QE report together with the attestation key.
    pub(crate) qe_authentication: &'a [u8],
    /// DER: PCK certificate, its issuer, the root.
    pub(crate) chain: Vec<Vec<u8>>,
}

impl<'a> Quote<'a> {
    /// Zero octets may follow the quote, as several drivers give out whole buffers; nothing else may.
    pub(crate) fn decode(octets: &'a [u8], tee: Tee) -> Result<Self, QuoteError> {
        if octets.len() > MAX_QUOTE {
            return Err(QuoteError::Malformed("longer than 16 KiB"));
        }
        let mut reader = Reader { rest: octets };
        let version = reader.u16()?;
        let key_type = reader.u16()?;
        let tee_type = reader.u32()?;
        let _qe_and_pce_svn = reader.take(4)?;
        let vendor = reader.take(16)?;
        let _user_data = reader.take(20)?;
        let body = match (tee, tee_type, version) {
            (Tee::Sgx, 0, 3) => SGX_REPORT,
            (Tee::Tdx, 0x81, 4) => TD_REPORT_10,
            (Tee::Tdx, 0x81, 5) => {
                let expected = match reader.u16()? {
                    2 => TD_REPORT_10,
                    3 => TD_REPORT_15,
                    4 => TD_REPORT_15_EX,
                    _ => return Err(QuoteError::Malformed("body type")),
                };
                if reader.length()? != expected {
                    return Err(QuoteError::Malformed("body size"));
                }
                expected
            }
            _ => return Err(QuoteError::Malformed("version or TEE type")),
        };
        if key_type != ECDSA_P256 {
            return Err(QuoteError::Malformed("attestation key type"));
        }
        if vendor != dcap_qvl::INTEL_QE_VENDOR_ID {
            return Err(QuoteError::Malformed("QE vendor"));
        }
        reader.take(body)?;
        let signed = reader.consumed(octets)?;
        let length = reader.length()?;
        let signature_data = reader.take(length)?;
        let whole = reader.consumed(octets)?;
        if reader.rest.iter().any(|octet| *octet != 0) {
            return Err(QuoteError::Malformed("octets after the quote"));
        }
        let mut reader = Reader {
            rest: signature_data,
        };
        let signature = reader.take(64)?;
        let attestation_key = reader.take(64)?;
        if version != 3 {
            reader.certification(QE_REPORT_CERTIFICATION)?;
        }
        let qe_report = reader.take(SGX_REPORT)?;
        let qe_signature = reader.take(64)?;
        if reader.u16()? != QE_AUTHENTICATION {
            return Err(QuoteError::Malformed("QE authentication data"));
        }
        let qe_authentication = reader.take(usize::from(QE_AUTHENTICATION))?;
        reader.certification(PCK_CERTIFICATE_CHAIN)?;
        let chain = pem::decode(reader.rest).ok_or(QuoteError::Malformed("PCK chain"))?;
        // A certificate more would be one that nothing verifies.
        if chain.len() != 3 {
            return Err(QuoteError::Malformed("PCK chain"));
        }
        Ok(Self {
            octets: whole,
            tee,
            signed,
            signature,
            attestation_key,
            qe_report,
            qe_signature,
            qe_authentication,
            chain,
        })
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], QuoteError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(QuoteError::Malformed("cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], QuoteError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(QuoteError::Malformed("cut short"))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u16(&mut self) -> Result<u16, QuoteError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, QuoteError> {
        self.array().map(u32::from_le_bytes)
    }

    fn length(&mut self) -> Result<usize, QuoteError> {
        usize::try_from(self.u32()?).map_err(|_| QuoteError::Malformed("length"))
    }

    /// Certification data of the one expected type, which reaches to the end.
    fn certification(&mut self, kind: u16) -> Result<(), QuoteError> {
        if self.u16()? != kind {
            return Err(QuoteError::Malformed("certification data type"));
        }
        if self.length()? != self.rest.len() {
            return Err(QuoteError::Malformed("certification data length"));
        }
        Ok(())
    }

    fn consumed(&self, whole: &'a [u8]) -> Result<&'a [u8], QuoteError> {
        let length = whole.len().checked_sub(self.rest.len());
        length
            .and_then(|length| whole.get(..length))
            .ok_or(QuoteError::Malformed("cut short"))
    }
}

/// Octets. Quotes have about 5,000, padded ones 8,000.
pub(crate) const MAX_QUOTE: usize = 16 * 1024;

/// `ECDSA-256-with-P-256 curve`.
const ECDSA_P256: u16 = 2;

/// `REPORTBODY` of an enclave, octets.
const SGX_REPORT: usize = 384;
/// TD Quote Body for TDX 1.0, octets.
const TD_REPORT_10: usize = 584;
/// TD Quote Body for TDX 1.5, octets.
const TD_REPORT_15: usize = 648;
/// TD Quote Body for TDX 1.5 with the extended fields, octets.
const TD_REPORT_15_EX: usize = 885;

/// QE Report Certification Data.
const QE_REPORT_CERTIFICATION: u16 = 6;
/// Concatenated PCK certificate chain in PEM. The other types would need a request for what the peer names.
const PCK_CERTIFICATE_CHAIN: u16 = 5;

/// Octets of QE authentication data, always.
const QE_AUTHENTICATION: u16 = 32;
