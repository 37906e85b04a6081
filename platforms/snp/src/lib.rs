//! AMD SEV-SNP for attested TLS: an attester over Linux configfs-tsm, and a verifier that takes bytes and gives a result.
//!
//! Evidence is the firmware's attestation report (AMD document 56860, "SEV Secure Nested Paging Firmware ABI
//! Specification") and the certificates that the host sends along, in the CBOR map that Veraison takes too
//! (`application/vnd.veraison.tsm-report+cbor`). The report's `REPORT_DATA` is SHA-512 of the bound value. AMD's root keys vouch
//! for the key that signs (AMD document 57230, "VCEK Certificate and KDS Interface Specification").
//!
//! ```
//! use std::sync::Arc;
//!
//! use atls_core::RelyingParty;
//! use atls_reference::Live;
//! use atls_snp::SnpPolicy;
//! use atls_snp::SnpVerifier;
//! use atls_snp::SuppliedCollateral;
//!
//! # fn example(policy: SnpPolicy, crl: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let policy = Arc::new(Live::fixed(policy)?);
//! let collateral = SuppliedCollateral::new().with_crl(
//!     atls_snp::Product::Milan,
//!     atls_snp::SigningKey::Vcek,
//!     crl,
//! )?;
//! let verifier = SnpVerifier::new(policy, Arc::new(collateral));
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`KdsCollateral`] fetches collateral over the network, through a cache of `atls-collateral`.
//!
//! The verifier does *not* check that a launch digest stands for the software that you expect: your reference value says so. Nor
//! does it check mitigation vectors, or whether other software in the guest requests reports over values of its own.
#![forbid(unsafe_code)]

mod attester;
mod chain;
mod claims;
mod collateral;
mod crl;
mod findings;
mod measurements;
mod policy;
mod resolver;
mod roots;
mod rules;
mod trust_vector;
mod vek;
mod verifier;
mod x509;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_formats::tsm::TSM_REPORT;

pub use atls_formats::snp::CertTable;
pub use atls_formats::snp::CertificateKind;
pub use atls_formats::snp::GuestPolicy;
pub use atls_formats::snp::PlatformInfo;
pub use atls_formats::snp::Product;
pub use atls_formats::snp::SigningKey;
pub use atls_formats::snp::SnpEvidence;
pub use atls_formats::snp::SnpFormatError;
pub use atls_formats::snp::Tcb;
pub use attester::SnpAttester;
pub use claims::SnpClaims;
pub use collateral::CollateralFromPeer;
pub use collateral::Kds;
pub use collateral::KdsCollateral;
pub use collateral::SnpCollateral;
pub use collateral::SnpPiece;
pub use collateral::SuppliedCollateral;
pub use collateral::VekId;
pub use measurements::dangerous_unverified_measurements;
pub use policy::AbiVersion;
pub use policy::Bits;
pub use policy::Day;
pub use policy::GuestRestriction;
pub use policy::Level;
pub use policy::MinimumTcb;
pub use policy::NextMinimumTcb;
pub use policy::PlatformFeature;
pub use policy::SnpConditions;
pub use policy::SnpImage;
pub use policy::SnpPolicy;
pub use roots::SnpRoot;
pub use verifier::SnpVerifier;

/// `application/vnd.veraison.tsm-report+cbor`.
///
/// # Errors
/// [`MediaTypeError`]: never, as the text is a constant.
fn media_type() -> Result<MediaType, MediaTypeError> {
    MediaType::parse(TSM_REPORT)
}
