//! Verifiers that ask a service, and the outgoing HTTP that every service needs.
//!
//! ```text
//!  RemoteVerifier ── RemoteService, EvidenceFormat: the parts of one service
//!        │
//!        ├── Resilient ── ReqwestClient ── TLS, plain or attested
//!        │      limits, retries, circuit breaker; HttpError::NotSent where a request was not sent
//!        └── Jwks: keys of the service, from the configured address
//! ```
//!
//! Evidence and the value of its connection go into a [`RemoteVerifier`]; a signed result about both comes out. It fails
//! closed: a service that is not asked, does not answer, or answers too much gives no result, and a [`Failure`] says why.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::ear::Algorithm;
//! use atls_remote::Endpoint;
//! use atls_remote::Jwks;
//! use atls_remote::Resilient;
//! use atls_remote::ReqwestClient;
//!
//! # fn example(builder: reqwest::ClientBuilder) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Resilient::new("verifier", Arc::new(ReqwestClient::build(builder)?));
//! let client = Arc::new(client);
//! let service = Endpoint::https("https://verifier.example")?;
//! let keys = Jwks::new(client.clone(), service.join("/certs")?, &[Algorithm::Ps384]);
//! # Ok(())
//! # }
//! ```
//!
//! [The guide] says which services there are, and what each of them leaves to its caller.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/verifiers/README.md")]
#![forbid(unsafe_code)]

mod api;
mod breaker;
mod builder;
mod client;
mod endpoint;
mod exchange;
mod failure;
mod fingerprint;
mod format;
mod issuer;
mod jwks;
mod later;
mod limits;
mod metrics;
mod outcome;
mod resilient;
mod resilient_builder;
mod retry_after;
mod service;
mod settings;
mod setup;
mod stats;
mod tcb_status;
mod token;
mod verifier;

pub use api::JsonApi;
pub use builder::RemoteVerifierBuilder;
pub use client::ReqwestClient;
pub use endpoint::Endpoint;
pub use endpoint::EndpointError;
pub use exchange::exchange;
pub use exchange::is_of_type;
pub use failure::Failure;
pub use fingerprint::FingerprintError;
pub use fingerprint::KeyFingerprint;
pub use format::EvidenceFormat;
pub use format::EvidenceReading;
pub use issuer::RemoteIssuer;
pub use jwks::Jwks;
pub use reqwest;
pub use resilient::Incidental;
pub use resilient::Repeatable;
pub use resilient::Resilient;
pub use resilient_builder::ResilientBuilder;
pub use service::CheckedEvidence;
pub use service::IssuingService;
pub use service::RemoteService;
pub use service::ResultCheck;
pub use setup::SetupError;
pub use stats::Circuit;
pub use stats::Stats;
pub use tcb_status::hardware_claim;
pub use token::Token;
pub use verifier::RemoteVerifier;
