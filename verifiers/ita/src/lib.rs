//! [Intel Trust Authority](https://docs.trustauthority.intel.com) as the verifier of Intel TDX: a quote goes to the service, a
//! signed token comes back.
//!
//! **Not run against the live service**: built from its published REST API and token claims, and tested against a stand-in
//! that follows them.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::{http::HttpClient, RelyingParty};
//! use atls_remote::{Endpoint, RemoteVerifier};
//! use atls_ita::{ItaService, TdxQuote, api, portal, portal_keys};
//!
//! # fn example(http: Arc<dyn HttpClient>, key: &str, provider: &rustls::crypto::CryptoProvider)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let keys = portal_keys(&Endpoint::https(portal::GLOBAL)?, http.clone())?;
//! let service = ItaService::new(&Endpoint::https(api::GLOBAL)?, key, http)?
//!     .with_policy("f48ad5a2-0c2b-4c2a-8a2d-0b2c8a2d0b2c");
//! let verifier = RemoteVerifier::builder(service, Arc::new(keys), provider)
//!     .format(TdxQuote::new())
//!     .build()?;
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What binds a token to a connection
//!
//! Evidence of this project carries SHA-512 of the connection's value in `REPORTDATA`, and is made before a service is asked.
//!
//! 1. The verifier compares it with the quote's, before anything is sent.
//! 2. The verifier compares it with the report data in the signed token (`tdx_report_data`), all 64 bytes.
//! 3. The service itself demands `REPORTDATA = SHA-512(nonce.val ‖ nonce.iat ‖ runtime_data)`. With the value of the
//!    connection as `runtime_data` and **without nonce of the service**, both say the same, and the service checks it too.
//!
//! The service's own nonce cannot be used: it would have to be known to the device before the quote is made, and its
//! freshness is that of the connection's value, which nobody can choose. Parts of the documentation speak of SHA-256 in the
//! first half instead (they are about other TEEs); should the service insist, it refuses, and
//! [`RuntimeData::Omitted`] leaves the comparison to 1 and 2.
//!
//! # From token to result
//!
//! | claim of the token | claim of the result |
//! |---|---|
//! | `attester_tcb_status` | `hardware`: UpToDate 2; …Needed and OutOfDate… 32; Revoked 96; anything else 97 |
//! | `tdx_is_debuggable` false, and `dbgstat` disabled where it stands | `configuration` and `runtime-opaque` 2; otherwise 96 |
//! | none: the attributes in the quote, of a TD that is under debug or that a service TD may move | `configuration` 96 in the part `local`; otherwise 2 |
//! | each configured policy in `policy_ids_matched` | `executables` 2; otherwise 96; without configured policy 33, which is a warning: nothing vouches for the software |
//!
//! Claims stand under `tdx` (version 2) or at the top (version 1); never both are read.
//!
//! # Keys
//!
//! The header's `jku` is not read. Keys come from the configured portal over TLS, for PS384 (or RS256 where that is asked for).
//!
//! # Guide
//!
//! [How to set it up].
//!
#![doc = concat!("[How to set it up]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/verifiers/ita.md")]
#![forbid(unsafe_code)]

mod claims;
mod format;
mod service;

use std::sync::Arc;

use atls_core::ear::Algorithm;
use atls_core::http::HttpClient;
use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::Jwks;

pub use claims::ItaClaims;
pub use format::TdxQuote;
pub use service::ItaService;
pub use service::RuntimeData;

/// Addresses for requests, by region.
pub mod api {
    /// Outside of the European Union.
    pub const GLOBAL: &str = "https://api.trustauthority.intel.com";
    /// European Union.
    pub const EU: &str = "https://api.eu.trustauthority.intel.com";
}

/// Addresses of the keys, by region.
pub mod portal {
    /// Outside of the European Union.
    pub const GLOBAL: &str = "https://portal.trustauthority.intel.com";
    /// European Union.
    pub const EU: &str = "https://portal.eu.trustauthority.intel.com";
}

/// The keys of a portal, for PS384.
///
/// # Errors
/// [`EndpointError`], which an endpoint that parsed does not give.
pub fn portal_keys(portal: &Endpoint, client: Arc<dyn HttpClient>) -> Result<Jwks, EndpointError> {
    Ok(Jwks::new(
        client,
        portal.join("/certs")?,
        &[Algorithm::Ps384],
    ))
}
