//! [Veraison](https://github.com/veraison/services) as the verifier: Evidence goes to the service, a signed result comes back.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::ear::VerificationKeys;
//! use atls_core::{http::HttpClient, RelyingParty};
//! use atls_veraison::{PsaToken, Service, VeraisonVerifier};
//!
//! # fn example(http: Arc<dyn HttpClient>, jwk: &str, provider: &rustls::crypto::CryptoProvider)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // The origin of the verification service; the key of its results, which you got from its operator.
//! let service = Service::new("https://veraison.example:8443", http)?;
//! let keys = VerificationKeys::from_jwk(jwk)?;
//! let verifier = VeraisonVerifier::builder(service, keys, provider)
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
//! schemes affirm replayed Evidence under whatever nonce they are given, and echo that nonce; so no format can be used
//! without an [`EvidenceFormat::check`]. It reads octets that the Evidence's own signature covers, and does *not* verify that
//! signature: alone it proves nothing. What Veraison's schemes are known to overlook (debugging, a level of privilege)
//! is judged here too, and becomes a part of the result that can only make it worse.
//!
//! **There:** every signature, trust anchor and reference value, over the same octets. With both, a value that is found
//! here is one that the device signed.
//!
//! **Here, afterwards:** the result's signature under a pinned key, its time, its nonce, and that it judges every
//! part of the attester that its scheme must judge.
//!
//! # Metrics
//!
//! Each appraisal is one [`tracing`] event, target `atls_veraison`, name `atls.verifier.outcome`, with the fields `verifier`
//! (`veraison`), `outcome` (the status of the result, [`VeraisonError::reason`], or `abandoned` where nobody waited for the end, such
//! as because the connection had reached its deadline), `fault` (of failures), `media_type` and `duration_ms`. The words are
//! stable: count events by `outcome`, and alert on `fault = "verifier"`. Neither Evidence nor nonces are in this event. What a
//! service says about its refusals may quote both, and is an event of its own at `trace`.
#![forbid(unsafe_code)]

mod config;
mod discovery;
mod error;
mod fingerprint;
mod format;
mod issuer;
mod outcome;
mod problem;
#[cfg(test)]
mod recorded;
mod service;
mod session;
mod verifier;

pub use atls_formats::Carriage;
pub use config::ConfigError;
pub use discovery::Discovery;
pub use error::VeraisonError;
pub use fingerprint::FingerprintError;
pub use fingerprint::KeyFingerprint;
pub use format::Carried;
pub use format::CcaToken;
pub use format::EvidenceFormat;
pub use format::PsaToken;
pub use format::SevSnpReport;
pub use issuer::VeraisonIssuer;
pub use problem::Problem;
pub use service::Service;
pub use session::Submission;
pub use session::UnverifiedResult;
pub use session::Wrapping;
pub use verifier::VeraisonVerifier;
pub use verifier::VeraisonVerifierBuilder;
