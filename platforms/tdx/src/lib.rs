//! Intel TDX and SGX: quotes appraised under Intel's root, and an attester over configfs-tsm.
//!
//! The verifier takes bytes and gives a result. The DCAP library verifies signature chain, revocation, expiry, identity of the Quoting
//! Enclave, TCB level and advisories; this crate then compares the challenge, and checks measurements, attributes and platform by a
//! policy. It has no clock, no device and no network of its own. A failure without a result is a [`QuoteError`].
//!
//! The relying party, with a policy out of a file, and Intel's collateral kept on disk:
//!
//! ```
//! use std::sync::Arc;
//! use atls_collateral::Cache;
//! use atls_core::RelyingParty;
//! use atls_core::http::HttpClient;
//! use atls_reference::Live;
//! use atls_tdx::{FetchedCollateral, Pcs, TdxPolicy, TdxVerifier};
//!
//! /// `http` asks Intel's service; `atls-remote` has one.
//! fn tds(http: Arc<dyn HttpClient>) -> Result<RelyingParty, Box<dyn std::error::Error>> {
//!     let policy = Live::<TdxPolicy>::open("/etc/service/reference-values.toml")?;
//!     let cache = Cache::builder(Pcs::intel(http)).directory("/var/cache/service/intel").build()?;
//!     let collateral = FetchedCollateral::new(Arc::new(cache));
//!     let verifier = TdxVerifier::new(Arc::new(policy), Arc::new(collateral));
//!     Ok(RelyingParty::builder().verifier(Arc::new(verifier)).build()?)
//! }
//! ```
//!
//! The TD:
//!
//! ```no_run
//! # use atls_core::AttestError;
//! use atls_tdx::TdxAttester;
//!
//! # fn main() -> Result<(), AttestError> {
//! match TdxAttester::open()? {
//!     Some(attester) => { /* atls_tower::Blocking::spawn(attester) */ }
//!     None => eprintln!("no TD"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Enclaves have [`SgxVerifier`] and [`SgxPolicy`]. Without a network take [`SuppliedCollateral`] or [`CollateralFromPeer`].
//!
//! | media type (private until one is registered) | what |
//! |---|---|
//! | `application/vnd.atls.tdx-quote` | a TDX quote, version 4 or 5 |
//! | `application/vnd.atls.tdx-evidence+cbor` | `[ quote: bstr, event log: bstr ]` |
//! | `application/vnd.atls.sgx-quote` | an SGX quote, version 3 |
//! | `application/vnd.atls.dcap-collateral+cbor` | [`Collateral`], as Endorsements |
//!
//! In each quote `REPORTDATA` is SHA-512 of the binder, all 64 bytes; DICE tagged evidence of RA-TLS certificates fixes another value.
//!
//! A quote says how the TD was started and measured. It does not say what happened in it since, beyond what software measured into the
//! registers.
//!
//! The feature `testing` adds forged platforms, for tests. [The guide] says how to set all of this up, and what to pin.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/tdx.md")]
#![forbid(unsafe_code)]
// On docs.rs each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod attributes;
pub mod tcb;
#[cfg(feature = "testing")]
pub mod testing;

mod appraiser;
mod attester;
mod chain;
mod claims;
mod collateral;
mod early;
mod ecdsa;
mod enclave;
mod engine;
mod error;
mod findings;
mod hardware;
mod library;
mod library_report;
mod measurements;
mod platform;
mod policy;
mod root;
mod seen;
mod signatures;
mod td;
mod technology;
mod time;
mod vector;
mod verifier;

pub use atls_formats::dcap::Event;
pub use atls_formats::dcap::SgxReport;
pub use atls_formats::dcap::Td15;
pub use atls_formats::dcap::Td15Extended;
pub use atls_formats::dcap::TdReport;
pub use atls_formats::dcap::Tee;
pub use attester::CollateralToSend;
pub use attester::TdxAttester;
pub use claims::EarlyTcb;
pub use claims::PlatformClaims;
pub use claims::SgxClaims;
pub use claims::TdxClaims;
pub use collateral::Collateral;
pub use collateral::CollateralFormError;
pub use collateral::CollateralFromPeer;
pub use collateral::CollateralParts;
pub use collateral::CollateralSource;
pub use collateral::FetchedCollateral;
pub use collateral::Pcs;
pub use collateral::SuppliedCollateral;
pub use error::QuoteError;
pub use measurements::dangerous_unverified_measurements;
pub use measurements::dangerous_unverified_platform_flags;
pub use platform::PckCa;
pub use platform::Platform;
pub use platform::VerifiedPlatform;
pub use policy::Advisories;
pub use policy::Pin;
pub use policy::SgxEnclave;
pub use policy::SgxPolicy;
pub use policy::TcbStatus;
pub use policy::TdxImage;
pub use policy::TdxPolicy;
pub use verifier::DcapVerifier;
pub use verifier::SgxVerifier;
pub use verifier::TdxVerifier;
