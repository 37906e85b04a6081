//! AWS Nitro Enclaves: attestation documents, made by the Nitro Security Module and appraised offline.
//!
//! The value of a connection and the leaf key go into a [`NitroAttester`], and a document comes out: a CBOR map in a COSE_Sign1
//! (ES384), signed by a key that AWS certifies for the enclave under its Nitro Enclaves root G1. The document and the time go into a
//! [`NitroVerifier`]. A result comes out that says how good the enclave is under a [`NitroPolicy`], or an
//! [`AppraisalError`](atls_core::AppraisalError) where the document is not genuine, or not of this connection. The verifier needs no
//! network.
//!
//! The relying party:
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::RelyingParty;
//! use atls_nitro::{NitroPolicy, NitroVerifier};
//! use atls_reference::Live;
//!
//! let policy: NitroPolicy = atls_reference::from_toml(r#"
//!     version = 1
//!     [nitro]
//!     [[nitro.image]]
//!     name = "payments 1.4.2"
//!     pcr0 = "8bb159f202bb95d6d0a2c1a1f8b76a1b4d9e0bd49d5e3ef07a67f5ab0c1d2e3f8bb159f202bb95d6d0a2c1a1f8b76a1b"
//! "#)?;
//! let verifier = NitroVerifier::new(Arc::new(Live::fixed(policy)?));
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The enclave:
//!
//! ```
//! # use atls_core::AttestError;
//! use atls_nitro::NitroAttester;
//!
//! # fn main() -> Result<(), AttestError> {
//! match NitroAttester::open()? {
//!     Some(attester) => { /* atls_tower::Blocking::spawn(attester) */ }
//!     None => eprintln!("not in a Nitro Enclave"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A document does not prove that memory is encrypted, nor anything that happened after it was made.
//!
//! The feature `testing` adds a security module in software, for tests. [The guide] says how to build an enclave and what to pin.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/nitro.md")]
#![deny(unsafe_code)]
// On docs.rs each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attester;
mod authentic;
mod chain;
mod claims;
mod corim;
mod device;
mod findings;
mod image;
mod measurements;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod nsm;
mod policy;
mod trust_vector;
mod verifier;

#[cfg(feature = "testing")]
pub mod testing;

#[cfg(test)]
mod genuine_documents;

use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_formats::nitro::NITRO_DOCUMENT;

pub use attester::NitroAttester;
pub use chain::AWS_ROOT_G1;
pub use claims::NitroClaims;
pub use device::NsmDevice;
pub use image::NitroImage;
pub use measurements::dangerous_unverified_measurements;
pub use policy::NitroPolicy;
pub use verifier::NitroVerifier;

/// # Errors
/// None: the text is a media type.
fn media_type() -> Result<MediaType, MediaTypeError> {
    MediaType::parse(NITRO_DOCUMENT)
}
