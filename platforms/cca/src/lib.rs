//! Arm for attested TLS: realms of the Confidential Compute Architecture (CCA) and devices of the Platform Security Architecture (PSA),
//! appraised offline, and an attester for realms over Linux configfs-tsm.
//!
//! A CCA token (draft-ffm-rats-cca-token) is two signed tokens. The platform's is signed by its attestation key (CPAK) and says which
//! firmware runs. The realm's is signed by the realm attestation key (RAK), says what runs in the realm, and carries the value of the
//! connection. The platform token carries the digest of the RAK, which binds the two. A PSA token (RFC 9783) is one such token, of a
//! device; both have the same frame, keys, lifecycle and firmware components, so both are in this crate.
//!
//! There is no root of all Arm platforms. A file of keys says whose tokens are looked at, [`CcaKeys`] or [`PsaKeys`]; a policy says
//! what they must say, [`CcaPolicy`] or [`PsaPolicy`]. Each may come from a CoRIM of its maker.
//!
//! The relying party:
//!
//! ```
//! use std::sync::Arc;
//! use atls_cca::{CcaKeys, CcaPolicy, CcaVerifier};
//! use atls_core::RelyingParty;
//! use atls_reference::Live;
//!
//! let file = r#"
//!     version = 1
//!
//!     [[cca.platform]]
//!     name = "Acme firmware 2.9"
//!     implementation-id = "7f454c4602010100000000000000000003003e00010000005058000000000000"
//!     [[cca.platform.component]]
//!     kind = "RMM"
//!     measurement = "a1fb50e6c86fae1679ef3351296fd6713411a08cf8dd1790a4fd05fae8688164"
//!     signer-id = "5378796307535df3ec8d8b15a2e2dc5641419c3d3060cfe32238c0fa973f7aa3"
//!
//!     [[cca.realm]]
//!     name = "payments 1.4.2"
//!     initial-measurement = "311314ab73620350cf758834ae5c65d9e8c2dc7febe6e7d9654bbe864e300d49"
//!
//!     [[cca-keys.cpak]]
//!     name = "rack 7"
//!     implementation-id = "7f454c4602010100000000000000000003003e00010000005058000000000000"
//!     instance-id = "0107060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"
//!     public = """
//! -----BEGIN PUBLIC KEY-----
//! MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE6Vwqe7hy3O8Ypa+BUETLUjBNU3rE
//! XVUyt9XHR7HJWLG7XTKQd9i1kVRXeBPDLFnfYru1/euxRnJM7H9UoFDLdA==
//! -----END PUBLIC KEY-----
//! """
//! "#;
//! let policy: CcaPolicy = atls_reference::from_toml(file)?;
//! let keys: CcaKeys = atls_reference::from_toml(file)?;
//! let (policy, keys) = (Arc::new(Live::fixed(policy)?), Arc::new(Live::fixed(keys)?));
//! # let provider = rustls::crypto::ring::default_provider();
//! let verifier = CcaVerifier::new(policy, keys, &provider);
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The realm:
//!
//! ```
//! # use atls_core::AttestError;
//! use atls_cca::CcaAttester;
//!
//! # fn main() -> Result<(), AttestError> {
//! match CcaAttester::open()? {
//!     Some(attester) => { /* atls_tower::Blocking::spawn(attester) */ }
//!     None => eprintln!("no realm here"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The verifiers do *not* check revocation: a key that is no longer trusted is taken out of the file. Nor do they follow the hint at a
//! verification service that a token may have.
//!
//! The feature `testing` adds a platform, a realm and a device in software, for tests. [The guide] says how to set all of this up.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/cca.md")]
#![forbid(unsafe_code)]
// On docs.rs each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attester;
mod cca;
mod keys;
mod measurements;
mod policy;
mod psa;
mod public_key;
mod signature;

#[cfg(feature = "testing")]
pub mod testing;

pub use atls_formats::psa::CcaPlatform;
pub use atls_formats::psa::CcaProfile;
pub use atls_formats::psa::CcaRealm;
pub use atls_formats::psa::Component;
pub use atls_formats::psa::KeyHash;
pub use atls_formats::psa::Lifecycle;
pub use atls_formats::psa::Profile;
pub use atls_formats::psa::PsaDevice;
pub use atls_formats::psa::RealmKey;
pub use attester::CcaAttester;
pub use cca::CcaClaims;
pub use cca::CcaVerifier;
pub use keys::CcaKeys;
pub use keys::PsaKeys;
pub use keys::TrustedKey;
pub use measurements::dangerous_unverified_measurements;
pub use policy::CcaPlatformFirmware;
pub use policy::CcaPolicy;
pub use policy::CcaRealmImage;
pub use policy::KnownComponent;
pub use policy::Measurement;
pub use policy::PsaFirmware;
pub use policy::PsaPolicy;
pub use psa::InitialAttestation;
pub use psa::PsaAttester;
pub use psa::PsaClaims;
pub use psa::PsaVerifier;
pub use public_key::PublicKey;
pub use public_key::PublicKeyError;
