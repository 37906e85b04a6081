//! Azure's confidential VMs, of SEV-SNP and of TDX: Evidence of a processor and of a virtual TPM, chained to each other.
//!
//! The guest of such a VM cannot have the processor sign the value of a connection. A paravisor below it, which the processor measures, runs a
//! virtual TPM, and had the processor sign a digest of *runtime data* with the TPM's attestation key in it. So there are three items in a
//! CMW collection of the type `tag:atls,2026:azure-cvm`:
//!
//! | label | media type | what | bound by |
//! |---|---|---|---|
//! | `cpu` | `application/vnd.veraison.tsm-report+cbor`, `application/vnd.atls.tdx-quote` | report or quote of the processor | the chain: its report data is the SHA-256 of the next item |
//! | `runtime-data` | `application/vnd.atls.azure-runtime-data+json` | the TPM's key, the VM's configuration | the chain: the digest in `cpu` |
//! | `tpm` | `application/vnd.atls.tpm-evidence+cbor` | quote by that key | `qualifyingData`: the value of the connection |
//!
//! Endorsements, such as collateral of Intel, may stand beside them. Anything else is refused.
//!
//! The crate knows the structure and the rule. It appraises neither processor nor TPM: the application gives it the verifiers of `atls-snp`,
//! `atls-tdx` and `atls-tpm`, as parts:
//!
//! ```
//! use std::sync::Arc;
//! use atls_azure::{AzurePolicy, AzureVerifier};
//! use atls_core::RelyingParty;
//! use atls_core::combine::chain::{SignedVerifier, UnboundVerifier};
//! use atls_reference::Live;
//!
//! # fn example(
//! #     snp: Arc<dyn UnboundVerifier>, tdx: Arc<dyn UnboundVerifier>, vtpm: Arc<dyn SignedVerifier>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let policy: AzurePolicy = atls_reference::from_toml("version = 1\n[azure]")?;
//! // SnpVerifier::new(…), TdxVerifier::new(…), VouchedTpmVerifier::new(…)
//! let verifier = AzureVerifier::new(Arc::new(Live::fixed(policy)?), vec![snp, tdx], vtpm)?;
//! let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
//! # let _ = relying_party;
//! # Ok(())
//! # }
//! ```
//!
//! # The policies must pin the paravisor
//!
//! Whoever runs an SNP guest or a TD of his own may play paravisor and sign any runtime data. What tells him from Microsoft's is the
//! measurement in `cpu`: the images in the tables `[snp]` and `[tdx]` are those of the paravisor. The guest itself is measured into the
//! registers of the virtual TPM, and its images are in the table `[tpm]`.
//!
//! # Guide
//!
//! [The guide] says how to set it up, and what to pin.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/azure.md")]
#![forbid(unsafe_code)]

mod attester;
mod claims;
mod evidence;
mod failed;
mod imds;
mod policy;
mod runtime;
mod verifier;

pub use atls_formats::azure::AK_HANDLE;
pub use atls_formats::azure::AzureFormatError;
pub use atls_formats::azure::HCL_REPORT_INDEX;
pub use attester::AzureAttester;
pub use attester::VtpmAttester;
pub use claims::AzureClaims;
pub use evidence::AzureEvidence;
pub use imds::Imds;
pub use policy::AzurePolicy;
pub use verifier::AzureVerifier;
