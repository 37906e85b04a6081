//! Intel TDX and SGX: quotes appraised under Intel's root, and an attester over configfs-tsm.
//!
//! The verifier takes bytes and gives a result. The DCAP library verifies signature chain, revocation, expiry, identity of the Quoting
//! Enclave, TCB level and advisories; this crate then compares the challenge, and checks measurements, attributes and platform by a
//! policy. It has no clock, no device and no network of its own. A failure without a result is a [`QuoteError`].
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::RelyingParty;
//! use atls_reference::Live;
//! use atls_tdx::{CollateralFromPeer, TdxImage, TdxPolicy, TdxVerifier};
//!
//! # fn example(image: TdxImage) -> Result<(), Box<dyn std::error::Error>> {
//! let policy = Live::fixed(TdxPolicy::up_to_date(vec![image]))?;
//! let verifier = TdxVerifier::new(Arc::new(policy), Arc::new(CollateralFromPeer::new()));
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! | media type (private until one is registered) | what |
//! |---|---|
//! | `application/vnd.atls.tdx-quote` | a TDX quote, version 4 or 5 |
//! | `application/vnd.atls.tdx-evidence+cbor` | `[ quote: bstr, event log: bstr ]` |
//! | `application/vnd.atls.sgx-quote` | an SGX quote, version 3 |
//! | `application/vnd.atls.dcap-collateral+cbor` | [`Collateral`], as Endorsements |
//!
//! In each quote `REPORTDATA` is SHA-512 of the binder, all 64 bytes; DICE tagged evidence of RA-TLS certificates fixes another value.
#![forbid(unsafe_code)]

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
