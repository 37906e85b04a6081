//! AMD SEV-SNP: the attestation report, and the certificates that come with it.
//!
//! Bytes go in, fields come out, and back. Bytes of another form are an [`SnpFormatError`]. **No signature is verified here**, and
//! no policy is applied.

mod cert_table;
mod error;
mod evidence;
mod product;
mod report;
mod tcb;

use atls_core::Bound;
use atls_core::expected::ExpectedValue;

pub use cert_table::CertTable;
pub use cert_table::CertificateKind;
pub use cert_table::pem;
pub use error::SnpFormatError;
pub use evidence::SnpEvidence;
pub use product::Product;
pub use report::ECDSA_P384_SHA384;
pub use report::GuestPolicy;
pub use report::PlatformInfo;
pub use report::REPORT_LENGTH;
pub use report::Report;
pub use report::SigningKey;
pub use tcb::Tcb;
pub use tcb::TcbLayout;

/// `REPORT_DATA` of a report about this connection: the SHA-512 of its value, because the field always has 64 bytes.
pub fn report_data(bound: &Bound) -> ExpectedValue<[u8; 64]> {
    bound.sha512()
}
