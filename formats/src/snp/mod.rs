//! AMD SEV-SNP: the attestation report, and the certificates that come with it.
//!
//! Everything here reads and writes. Nothing is verified, and no policy is applied.

mod cert_table;
mod error;
mod evidence;
mod product;
mod report;
mod tcb;

use atls_core::Bound;
use atls_core::ExpectedValue;

pub use cert_table::CertTable;
pub use cert_table::CertificateKind;
pub use cert_table::pem;
pub use error::SnpFormatError;
pub use evidence::SnpEvidence;
pub use product::Product;
pub use report::GuestPolicy;
pub use report::PlatformInfo;
pub use report::REPORT_LENGTH;
pub use report::Report;
pub use report::SigningKey;
pub use tcb::Tcb;

/// The value that `REPORT_DATA` carries for a connection: 64 bytes, and so the SHA-512 of the bound value.
pub fn report_data(bound: &Bound) -> ExpectedValue<[u8; 64]> {
    bound.sha512()
}
