//! AMD SEV-SNP for attested TLS: an attester over Linux configfs-tsm, and a verifier that takes bytes and gives a result.
//!
//! Evidence is the firmware's attestation report (AMD document 56860, "SEV Secure Nested Paging Firmware ABI
//! Specification") and the certificates that the host sends along, in the CBOR map that Veraison takes too
//! (`application/vnd.veraison.tsm-report+cbor`). The report's `REPORT_DATA` is SHA-512 of the bound value. AMD's root keys vouch
//! for the key that signs (AMD document 57230, "VCEK Certificate and KDS Interface Specification").
//!
//! The relying party, with a policy out of a file, and what AMD publishes kept on disk:
//!
//! ```
//! use std::sync::Arc;
//! use atls_collateral::Cache;
//! use atls_core::RelyingParty;
//! use atls_core::http::HttpClient;
//! use atls_reference::Live;
//! use atls_snp::{Kds, KdsCollateral, SnpPolicy, SnpVerifier};
//!
//! /// `http` asks AMD's key distribution service; `atls-remote` has one.
//! fn guests(http: Arc<dyn HttpClient>) -> Result<RelyingParty, Box<dyn std::error::Error>> {
//!     let policy = Live::<SnpPolicy>::open("/etc/service/reference-values.toml")?;
//!     let cache = Cache::builder(Kds::new(http)).directory("/var/cache/service/amd").build()?;
//!     let verifier = SnpVerifier::new(Arc::new(policy), Arc::new(KdsCollateral::new(cache)));
//!     Ok(RelyingParty::builder().verifier(Arc::new(verifier)).build()?)
//! }
//! ```
//!
//! The guest:
//!
//! ```no_run
//! # use atls_core::AttestError;
//! use atls_snp::SnpAttester;
//!
//! # fn main() -> Result<(), AttestError> {
//! match SnpAttester::open()? {
//!     Some(attester) => { /* atls_tower::Blocking::spawn(attester) */ }
//!     None => eprintln!("no SEV-SNP guest"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Without a network take [`SuppliedCollateral`] or [`CollateralFromPeer`].
//!
//! The verifier does *not* check that a launch digest stands for the software that you expect: your reference value says so. Nor
//! does it check mitigation vectors, or whether other software in the guest requests reports over values of its own.
//!
//! The feature `testing` adds a forged platform, for tests. [The guide] says how to set all of this up, and what to pin.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/snp.md")]
#![forbid(unsafe_code)]
// On docs.rs each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

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
