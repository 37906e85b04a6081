//! [Microsoft Azure Attestation](https://learn.microsoft.com/azure/attestation/) as the verifier of SEV-SNP reports and TDX
//! quotes: Evidence goes to an instance of the service, a signed token comes back.
//!
//! **Not run against the live service**: built from its published REST API and token claims, and tested against a stand-in
//! that follows them. The open questions stand below.
//!
//! ```
//! use std::sync::Arc;
//! use atls_core::{http::HttpClient, RelyingParty};
//! use atls_remote::{Endpoint, RemoteVerifier};
//! use atls_maa::{MaaService, SnpReport, TdxQuote, instance_keys};
//!
//! # fn example(http: Arc<dyn HttpClient>, measured: [u8; 48], provider: &rustls::crypto::CryptoProvider)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! let instance = Endpoint::https("https://mine.weu.attest.azure.net")?;
//! let keys = instance_keys(&instance, http.clone())?;
//! let service = MaaService::new(&instance, http)?.with_launch_measurement(measured);
//! let verifier = RemoteVerifier::builder(service, Arc::new(keys), provider)
//!     .format(SnpReport::new())
//!     .format(TdxQuote::new())
//!     .build()?;
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What binds a token to a connection
//!
//! Evidence of this project carries SHA-512 of the connection's value in all 64 bytes of its report data.
//!
//! 1. The verifier compares it with that of the report or quote, before anything is sent.
//! 2. The verifier compares it with the report data in the signed token (`x-ms-sevsnpvm-reportdata`, `tdx_report_data`), all 64
//!    bytes.
//!
//! The service's own comparison wants `report_data[0..32] = SHA-256(runtimeData)`. SHA-512 in all 64 bytes cannot satisfy it, so
//! `runtimeData` is left out; the API marks it as optional. The request's `nonce` is only echoed, proves nothing, and is left out
//! too.
//!
//! # Machines
//!
//! The guest must choose the report data. It does in confidential containers on Azure, and on machines elsewhere whose instance has
//! a policy for them. On Azure's confidential *VMs* the paravisor chooses it, and the guest attests by a virtual TPM: their
//! Evidence has no value of a connection in the report, and is refused at step 1.
//!
//! # From token to result
//!
//! | claim of the token | claim of the result |
//! |---|---|
//! | `x-ms-compliance-status` `azure-compliant-cvm` or `azure-compliant-uvm` | `hardware` 2; anything else 97 |
//! | `attester_tcb_status` of a TD | `hardware` too, the worse of the two: UpToDate 2; …Needed and OutOfDate… 32; Revoked 96; else 97 |
//! | not debuggable (`x-ms-sevsnpvm-is-debuggable`; `tdx_td_attributes_debug`, `dbgstat`), no migration agent, VMPL 0 | `configuration` and `runtime-opaque` 2; otherwise, and where one is absent, 96 |
//! | none: the attributes in the quote of a TD, which is under debug or which a service TD may move | `configuration` 96 in the part `local`; otherwise 2 |
//! | launch measurement (`x-ms-sevsnpvm-launchmeasurement`) or measurements of a TD (`tdx_mrtd`, `tdx_rtmr0` to `tdx_rtmr3`) configured | `executables` 2; otherwise 33, and the result is contraindicated; where nothing is configured, a warning, whatever the policy of the instance |
//!
//! # Keys
//!
//! The header's `jku` is not read. Keys come from the configured instance over TLS, for RS256, as certificates of which the key
//! alone is read.
//!
//! # Not verified live
//!
//! * `runtimeData` may be left out for both endpoints.
//! * `VcekCertChain` is PEM, base64url.
//! * A TDX token has these debug claims.
//!
//! Where the service differs there is no result, or a worse one. Instances that demand Entra ID want a bearer
//! token with each request, which is the [`HttpClient`]'s to add; shared ones do not.
//!
//! # Guide
//!
//! [How to set it up].
//!
#![doc = concat!("[How to set it up]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/verifiers/maa.md")]
#![forbid(unsafe_code)]

mod claims;
mod format;
mod service;
mod software;

use std::sync::Arc;

use atls_core::ear::Algorithm;
use atls_core::http::HttpClient;
use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::Jwks;

pub use claims::GuestKind;
pub use claims::MaaClaims;
pub use format::SnpReport;
pub use format::TdxQuote;
pub use service::MaaService;
pub use software::TdMeasurements;

/// The keys of an instance, for RS256.
///
/// # Errors
/// [`EndpointError`], which an endpoint that parsed does not give.
pub fn instance_keys(
    instance: &Endpoint,
    client: Arc<dyn HttpClient>,
) -> Result<Jwks, EndpointError> {
    Ok(Jwks::new(
        client,
        instance.join("/certs")?,
        &[Algorithm::Rs256],
    ))
}
