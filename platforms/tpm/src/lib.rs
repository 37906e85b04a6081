//! TPM 2.0: quotes over platform configuration registers (PCRs), made over the device or the sockets of `swtpm`, and appraised offline.
//!
//! A quote is signed by an attestation key (AK) that never leaves its TPM and signs nothing but what the TPM itself made. It carries
//! the value of this connection as `qualifyingData`. Which AKs are trusted is said by a file of keys, [`TpmKeys`]; what the registers
//! must hold is said by a policy, [`TpmPolicy`].
//!
//! A TPM attests **how a machine was booted**. It says nothing about the confidentiality of its memory, and nothing about who stands
//! beside it: the [README](https://crates.io/crates/atls-tpm) says what is not proved.
//!
//! The relying party:
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::RelyingParty;
//! use atls_reference::Live;
//! use atls_tpm::{TpmKeys, TpmPolicy, TpmVerifier};
//!
//! let policy: TpmPolicy = atls_reference::from_toml(r#"
//!     version = 1
//!     [[tpm.image]]
//!     name = "web 1.4"
//!     [tpm.image.pcr]
//!     4 = "2c24ab9b1b5b4f0a9d0c3e5f6b7a8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8"
//!     7 = "65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e234eb3068"
//! "#)?;
//! let keys: TpmKeys = atls_reference::from_toml(r#"
//!     version = 1
//!     [[tpm-keys.ak]]
//!     name = "web-1.example"
//!     vouched-for = true
//!     public = "0023000b00050072000000100018000b000300100020ff71441edb570cee51f6f3f168c57920d9ca9b203a2caf9f8c7dfbad26849fcd0020a0df47c21e1912dcfcd1829de58b58a4ebbd401ef5c2ad11d0be09caaa67bce0"
//! "#)?;
//! let (policy, keys) = (Arc::new(Live::fixed(policy)?), Arc::new(Live::fixed(keys)?));
//! # let provider = rustls::crypto::ring::default_provider();
//! let verifier = TpmVerifier::new(policy, keys, &provider);
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The machine with the TPM:
//!
//! ```
//! # use atls_core::AttestError;
//! use atls_tpm::TpmAttester;
//!
//! # fn main() -> Result<(), AttestError> {
//! match TpmAttester::open()? {
//!     Some(attester) => { /* atls_tower::Blocking::spawn(attester) */ }
//!     None => eprintln!("no TPM here"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The feature `testing` adds a signer of quotes in software, for tests. [The guide] says how to enrol keys and what to pin.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/tpm.md")]
#![forbid(unsafe_code)]
// On docs.rs each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod activation;
mod attestation_key;
mod attester;
mod authority;
mod boot;
mod chain;
mod claims;
mod command;
mod counters;
mod device;
mod endorsement;
mod enrolment;
mod error;
mod findings;
mod key_file;
mod key_template;
mod keys;
mod log_file;
mod logs;
mod measurements;
mod nv;
mod policy;
mod quoted;
mod stored_certificate;
mod tpm;
mod trust_vector;
mod trusted_key;
mod verifier;
mod vouched;

#[cfg(feature = "testing")]
pub mod testing;

use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_formats::tpm::TPM_EVIDENCE;

pub use atls_formats::tpm::Credential;
pub use atls_formats::tpm::EnrolmentRequest;
pub use atls_formats::tpm::HashAlgorithm;
pub use atls_formats::tpm::PcrSelection;
pub use atls_formats::tpm::PcrSet;
pub use attestation_key::AttestationKey;
pub use attestation_key::AttestationKeyError;
pub use attester::TpmAttester;
pub use authority::KeyAuthority;
pub use authority::RootCertificate;
pub use boot::ConfirmedEvent;
pub use boot::EventKind;
pub use boot::MeasuredFile;
pub use claims::TpmClaims;
pub use device::Swtpm;
pub use device::SwtpmControl;
pub use device::TpmDevice;
pub use device::TpmFile;
pub use enrolment::Enroller;
pub use enrolment::EnrolmentError;
pub use enrolment::PendingEnrolment;
pub use error::ResponseCode;
pub use error::TpmError;
pub use key_file::KeyFile;
pub use key_file::KeyFileError;
pub use key_template::KeyTemplate;
pub use keys::TpmKeys;
pub use measurements::dangerous_unverified_measurements;
pub use policy::ImaRule;
pub use policy::Measurement;
pub use policy::PcrIndex;
pub use policy::StubRule;
pub use policy::StubSection;
pub use policy::TpmEvent;
pub use policy::TpmImage;
pub use policy::TpmPolicy;
pub use trusted_key::TrustedKey;
pub use verifier::TpmVerifier;
pub use vouched::VouchedTpmVerifier;

/// `application/vnd.atls.tpm-evidence+cbor`. The type is private to this project; none is registered.
///
/// # Errors
/// None: the text is a media type.
fn media_type() -> Result<MediaType, MediaTypeError> {
    MediaType::parse(TPM_EVIDENCE)
}
