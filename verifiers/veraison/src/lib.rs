//! [Veraison](https://github.com/veraison/services) as the verifier: Evidence goes to the service, a signed result comes back.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::ear::VerificationKeys;
//! use atls_core::{http::HttpClient, RelyingParty};
//! use atls_remote::{Endpoint, RemoteVerifier};
//! use atls_veraison::{PsaToken, VeraisonService};
//!
//! # fn example(http: Arc<dyn HttpClient>, jwk: &str, provider: &rustls::crypto::CryptoProvider)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // The origin of the verification service; the key of its results, which you got from its operator.
//! let service = VeraisonService::new(&Endpoint::https("https://veraison.example:8443")?, http)?;
//! let keys = VerificationKeys::from_jwk(jwk)?;
//! let verifier = RemoteVerifier::builder(service, Arc::new(keys), provider)
//!     .format(PsaToken::tfm())
//!     .build()?;
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Who checks what
//!
//! **Here, before anything is sent:** the Evidence carries the value of this connection, whole. Several of Veraison's
//! schemes affirm replayed Evidence under whatever nonce they are given, and echo that nonce; so no format can be used without
//! [`EvidenceFormat::read`](atls_remote::EvidenceFormat::read). It reads bytes that the Evidence's own signature covers, and does
//! *not* verify that signature: alone it proves nothing. The formats also appraise what Veraison's schemes are known to overlook
//! (debugging, a level of privilege): that becomes a part of the result, and can only make it worse.
//!
//! **There:** every signature, trust anchor and reference value, over the same bytes. With both, a value that is found
//! here is one that the device signed.
//!
//! **Here, afterwards:** the result's signature under a pinned key, its time, its nonce, and that it judges every
//! part of the attester that its scheme must judge.
//!
//! # Events
//!
//! The event of each appraisal is that of every [`RemoteVerifier`](atls_remote::RemoteVerifier), with `verifier = "veraison"`; its
//! `outcome` may also be a word of [`VeraisonError::reason`]. A service's own words about its refusals may quote Evidence and nonces:
//! they are an event of the target `atls_veraison` at `TRACE`.
#![forbid(unsafe_code)]

mod appraisal;
mod discovery;
mod error;
mod fingerprint;
mod format;
mod parts;
mod problem;
#[cfg(test)]
mod recorded;
mod service;
mod session;
mod wrapping;

pub use discovery::Discovery;
pub use error::VeraisonError;
pub use fingerprint::FingerprintError;
pub use fingerprint::KeyFingerprint;
pub use format::CcaToken;
pub use format::PsaToken;
pub use format::SevSnpReport;
pub use parts::FormatWithParts;
pub use parts::Parts;
pub use problem::Problem;
pub use service::VeraisonService;
pub use session::Submission;
pub use session::UnverifiedResult;
pub use wrapping::Wrapping;
