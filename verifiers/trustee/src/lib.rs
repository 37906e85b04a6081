//! The attestation service of [Trustee](https://github.com/confidential-containers/trustee) (Confidential Containers) as
//! the verifier: Evidence goes to its REST front (`restful-as`), and a signed EAR comes back. Without a usable result there is an
//! [`AppraisalError`](atls_core::AppraisalError) that says whose fault it is.
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
//! Trustee's results have no `eat_nonce`. Three things together take its place:
//!
//! 1. Before anything is sent, the format reads the value that the Evidence carries, out of the bytes that its signature covers,
//!    and the verifier compares it with the value of this connection. Every format has that value.
//! 2. The request has the same value as `runtime_data`, always: without it Trustee checks no binding at all.
//! 3. The signed result names the `report_data` of the Evidence, and the TEE. Both are compared, the first whole: Trustee pads a
//!    shorter value with zeros and cuts a longer one, so a value here has exactly the length of its field.
//!
//! # What counts for nothing
//!
//! The key in the result's own header counts for nothing. Keys are pinned, or come from the configured service's JWK set over TLS.
//!
//! The policy of the service, which its operator writes, decides which Evidence is good. A result under another policy than the
//! configured one is refused. In addition the formats here appraise whether somebody may debug a TD or guest, or move it: a guest by a
//! migration agent, a TD by a service TD.
//!
//! # Guide
//!
//! [How to set it up].
//!
#![doc = concat!("[How to set it up]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/verifiers/trustee.md")]
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
