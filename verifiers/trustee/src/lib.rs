//! The attestation service of [Trustee](https://github.com/confidential-containers/trustee) (Confidential Containers) as
//! the verifier: Evidence goes to its REST front (`restful-as`), a signed EAR comes back.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::ear::Algorithm;
//! use atls_core::{http::HttpClient, RelyingParty};
//! use atls_remote::{Endpoint, Jwks, RemoteVerifier};
//! use atls_trustee::{SnpReport, TdxQuote, TrusteeService};
//!
//! # fn example(http: Arc<dyn HttpClient>, provider: &rustls::crypto::CryptoProvider)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let service = Endpoint::https("https://trustee.example:8080")?;
//! let keys = Jwks::new(http.clone(), service.join("/.well-known/jwks.json")?, &[Algorithm::Es256]);
//! let service = TrusteeService::new(&service, http)?.with_policy("mine");
//! let verifier = RemoteVerifier::builder(service, Arc::new(keys), provider)
//!     .format(SnpReport::new())
//!     .format(TdxQuote::new())
//!     .build()?;
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What binds a result to a connection
//!
//! Trustee's results have no `eat_nonce`. Three things together:
//!
//! 1. Before anything is sent, the format reads the value that the Evidence carries out of the bytes that its signature covers,
//!    and the verifier compares it with that of this connection. There is no format without that value.
//! 2. The same value goes along as `runtime_data`, always: without it Trustee would check no binding at all.
//! 3. The signed result says which `report_data` it found in the Evidence, and of which TEE. Both are compared, the first
//!    whole: Trustee pads a shorter value with zeros and cuts a longer one, so a value here has exactly the length of its field.
//!
//! # What is not believed
//!
//! The key in the result's own header. Keys are pinned, or come from the configured service's JWK set over TLS.
//!
//! The policy of the service, which is its operator's, decides which Evidence is good: a result under another policy than the
//! configured one is refused. The formats here appraise in addition whether a TD or guest may be debugged, or moved by a migration
//! agent.
#![forbid(unsafe_code)]

mod format;
#[cfg(test)]
mod recorded;
mod sample;
mod service;
mod tee;

pub use format::AzureVtpm;
pub use format::SampleEvidence;
pub use format::SnpReport;
pub use format::TdxQuote;
pub use sample::SampleAttester;
pub use service::TrusteeService;
pub use tee::TeeTerms;

/// The `eat_profile` of Trustee's results.
pub const PROFILE: &str = "tag:github.com,2024:confidential-containers/Trustee";
