//! [Microsoft Azure Attestation](https://learn.microsoft.com/azure/attestation/) as the verifier of SEV-SNP reports and TDX
//! quotes: Evidence goes to an instance of the service, a signed token comes back.
//!
//! **Not run against the live service**: built from its published REST API and token claims, and tested against a stand-in
//! that follows them. What is known and what is not stands below.
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
//! 1. Before anything is sent, that is found in the report or quote.
//! 2. The token reports the report data that the service found (`x-ms-sevsnpvm-reportdata`, `tdx_report_data`), signed: it must
//!    be the same, all 64 bytes.
//!
//! The service has a comparison of its own, and it cannot be used: it wants `report_data[0..32] = SHA-256(runtimeData)`, which no
//! value has that is SHA-512 of something in all 64 bytes. So `runtimeData` is left out; the API marks it as optional. The
//! request's `nonce` is only echoed, proves nothing, and is left out too.
//!
//! # Which machines
//!
//! Those whose guests choose the report data: confidential containers on Azure, and machines elsewhere whose instance has a
//! policy for them. On Azure's confidential *VMs* it is the paravisor's, and the guest speaks through a virtual TPM: their
//! Evidence does not carry the value of a connection in the report, and is refused here at step 1.
//!
//! # From token to result
//!
//! | claim of the token | claim of the result |
//! |---|---|
//! | `x-ms-compliance-status` `azure-compliant-cvm` or `azure-compliant-uvm` | `hardware` 2; anything else 97 |
//! | `attester_tcb_status` of a TD | `hardware` too, the worse of the two: UpToDate 2; …Needed and OutOfDate… 32; Revoked 96; else 97 |
//! | not debuggable (`x-ms-sevsnpvm-is-debuggable`; `tdx_td_attributes_debug`, `dbgstat`), no migration agent, VMPL 0 | `configuration` and `runtime-opaque` 2; otherwise, and where one is absent, 96 |
//! | launch measurement (`x-ms-sevsnpvm-launchmeasurement`, `tdx_mrtd`) configured | `executables` 2; otherwise 33: a warning, whatever a policy of the instance says |
//!
//! # What is not believed
//!
//! The header's `jku`. Keys come from the configured instance over TLS, for RS256; they are published as certificates, of which
//! only the key is read.
//!
//! # Not verified live
//!
//! That `runtimeData` may be left out for both endpoints; that `VcekCertChain` is PEM, base64url; which of the debug claims a
//! TDX token has. Where the service differs there is no result, or a worse one. Instances that demand Entra ID want a bearer
//! token with each request, which is the [`HttpClient`]'s to add; shared ones do not.
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

pub use claims::GuestKind;
pub use claims::MaaClaims;
pub use format::SnpReport;
pub use format::TdxQuote;
pub use service::MaaService;

/// The keys of an instance, for RS256.
///
/// # Errors
/// None for an endpoint that is one.
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
