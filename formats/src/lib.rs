//! Formats of Evidence, read and written: one module for each vendor's format, used by platforms and by verifiers alike.
//!
//! A reader takes bytes of a peer and gives typed values, or an error that names the part at fault. It checks the form and
//! **no signature**: alone, these values prove nothing.
//!
//! Each module has one function from a connection to the field that carries its value, such as [`snp::report_data`]. Verifiers that
//! ask a service compare that field before they ask, because a service may echo any nonce. [`ReportedClaims`] reads the claims of
//! the Evidence in a service's result.
//!
//! ```
//! use atls_formats::snp::{Report, SnpEvidence};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let platform = atls_snp::testing::ForgedSnp::new(atls_snp::Product::Turin)?;
//! # let bytes = platform.evidence(&[7; 64]).encode()?;
//!
//! let evidence = SnpEvidence::decode(&bytes)?;
//! let report = Report::decode(evidence.report())?;
//! assert_eq!(report.report_data, [7; 64]);
//! // Who made it is another question: its signature, and the certificates beside it, are for a verifier.
//! # Ok(())
//! # }
//! ```
//!
//! [Platforms] and [verifiers] say who verifies what.
//!
#![doc = concat!("[Platforms]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/README.md")]
#![doc = concat!("[verifiers]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/verifiers/README.md")]
#![forbid(unsafe_code)]

pub mod azure;
pub mod dcap;
pub mod nitro;
pub mod psa;
pub mod snp;
pub mod tpm;
pub mod tsm;

mod cbor;
mod debugging;
mod digest;
mod printed;
mod public_key_info;
mod reported;

pub use debugging::Debugging;
pub use digest::Digest;
pub use reported::ReportedClaims;
