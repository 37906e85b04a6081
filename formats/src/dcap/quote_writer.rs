//! Quotes written: for simulators and tests, which sign with keys of their own.

use super::pem;
use super::quote::ECDSA_P256;
use super::quote::INTEL_QE_VENDOR;
use super::quote::PCK_CERTIFICATE_CHAIN;
use super::quote::QE_AUTHENTICATION;
use super::quote::QE_REPORT_CERTIFICATION;
use super::quote::SGX;
use super::quote::TDX;
use super::report::Report;

/// Header and body of a quote, which the attestation key is to sign.
#[derive(Clone, Debug)]
pub struct QuoteToSign {
    version: u16,
    bytes: Vec<u8>,
}

/// The part of a quote behind its body.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a quote has all of these and nothing more"
)]
pub struct SignatureData<'a> {
    /// Over [`QuoteToSign::bytes`], `r ‖ s`.
    pub signature: &'a [u8; 64],
    /// `x ‖ y`.
    pub attestation_key: &'a [u8; 64],
    /// [`SgxReport::encode`](super::SgxReport::encode) of the Quoting Enclave.
    pub qe_report: &'a [u8; 384],
    /// By the PCK, `r ‖ s`.
    pub qe_signature: &'a [u8; 64],
    /// Covered by the QE report together with the attestation key.
    pub qe_authentication: &'a [u8; 32],
    /// DER: PCK certificate, its issuer, the root.
    pub chain: &'a [Vec<u8>],
}

impl QuoteToSign {
    /// Version 3 over an enclave, 4 over a TD of TDX 1.0, and 5 over a TD with fields of TDX 1.5.
    ///
    /// `None` for a report that no quote can hold: the extended fields without those of TDX 1.5.
    pub fn over(report: &Report) -> Option<Self> {
        let (version, tee, body_type) = match report {
            Report::Sgx(_) => (3, SGX, None),
            Report::Td(td) => match (&td.td15, &td.td15_extended) {
                (None, None) => (4, TDX, None),
                (Some(_), None) => (5, TDX, Some(3_u16)),
                (Some(_), Some(_)) => (5, TDX, Some(4_u16)),
                (None, Some(_)) => return None,
            },
        };
        let body = match report {
            Report::Sgx(report) => report.encode().to_vec(),
            Report::Td(report) => report.encode(),
        };
        let mut bytes = [
            &u16::to_le_bytes(version)[..],
            &ECDSA_P256.to_le_bytes(),
            &u32::to_le_bytes(tee),
            &[0; 4],
            &INTEL_QE_VENDOR,
            &[0; 20],
        ]
        .concat();
        if let Some(body_type) = body_type {
            bytes.extend(body_type.to_le_bytes());
            bytes.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
        }
        bytes.extend(body);
        Some(Self { version, bytes })
    }

    /// The bytes to sign.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole quote. `None` where a length does not fit its field.
    pub fn with_signature(self, data: &SignatureData<'_>) -> Option<Vec<u8>> {
        let chain = pem::encode(data.chain);
        let certification = [
            &data.qe_report[..],
            data.qe_signature,
            &QE_AUTHENTICATION.to_le_bytes(),
            data.qe_authentication,
            &PCK_CERTIFICATE_CHAIN.to_le_bytes(),
            &sized(chain.as_bytes())?,
        ]
        .concat();
        let certification = match self.version {
            3 => certification,
            _ => [
                &QE_REPORT_CERTIFICATION.to_le_bytes()[..],
                &sized(&certification)?,
            ]
            .concat(),
        };
        let data = [&data.signature[..], data.attestation_key, &certification].concat();
        Some([self.bytes, sized(&data)?].concat())
    }
}

fn sized(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok()?;
    Some([&length.to_le_bytes()[..], bytes].concat())
}
