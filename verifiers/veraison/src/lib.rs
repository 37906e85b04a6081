//! [Veraison](https://github.com/veraison/services) as the verifier: Evidence goes to the service, a signed result comes back. Where
//! either is not as it should be there is no result, and the connection is refused.
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
//! **Here, before anything is sent:** the Evidence carries the value of this connection, whole. Several of Veraison's schemes affirm
//! replayed Evidence under any nonce, and echo that nonce. So every format has to
//! [`read`](atls_remote::EvidenceFormat::read) the value in bytes that the Evidence's own signature covers. It does *not* verify that
//! signature: alone it proves nothing. The formats also appraise properties that Veraison's schemes are known to overlook (debugging, a
//! level of privilege). That becomes a part of the result, and can only make it worse.
//!
//! **There:** every signature, trust anchor and reference value, over the same bytes. With both, the device signed the value that was
//! found here.
//!
//! **Here, afterwards:** the result's signature under a pinned key, its time, its nonce, and that it appraises every
//! part of the attester that its scheme must appraise.
//!
//! # Events
//!
//! The event of each appraisal is that of every [`RemoteVerifier`](atls_remote::RemoteVerifier), with `verifier = "veraison"`. Beside
//! the words of [`Failure`](atls_remote::Failure), its `outcome` may be
//!
//! | word | cause |
//! |---|---|
//! | `failed` | the service failed the session on its own account |
//! | `location` | the service names a session of another origin, or outside of its API |
//! | `nonce` | the session is about another nonce |
//! | `not_acceptable` | the service speaks another version of the API |
//! | `pending` | the service still appraises after the last poll; raise the number of polls, or its capacity |
//! | `session_ended` | the session has expired or was deleted |
//! | `unsupported_media_type` | the service has no scheme for the format; the `cause` lists those that it has |
//!
//! The service's own words about its refusals may quote Evidence and nonces. They are an event of the target `atls_veraison` at
//! `TRACE`.
//!
//! # Guide
//!
//! [How to set it up].
//!
#![doc = concat!("[How to set it up]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/verifiers/veraison.md")]
#![forbid(unsafe_code)]

mod api;
mod appraisal;
mod failures;
mod format;
mod parts;
#[cfg(test)]
mod recorded;
mod service;
mod wrapping;

pub use api::Discovery;
pub use api::DiscoveryError;
pub use format::CcaToken;
pub use format::PsaToken;
pub use format::SevSnpReport;
pub use parts::FormatWithParts;
pub use parts::Parts;
pub use service::VeraisonService;
pub use wrapping::Wrapping;
