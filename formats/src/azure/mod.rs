//! Azure's confidential VMs: the report that the paravisor ("host compatibility layer", HCL) leaves in the virtual TPM, and the runtime data
//! behind it.
//!
//! The guest cannot have the processor sign data of its own. The paravisor does, once: the report data of the SNP report or of the TD is the
//! SHA-256 of [runtime data](RuntimeData) in JSON, and 32 zero bytes. The runtime data has the attestation key of the virtual TPM in it, and a
//! quote under that key carries the value of a connection:
//!
//! ```text
//! SNP report or TD quote ── SHA-256 ──▶ runtime data ── HCLAkPub ──▶ quote of the vTPM ── extraData ──▶ value of the connection
//! ```
//!
//! Microsoft describes the structures in "Guest attestation for confidential VMs", as the guest reads them at the index
//! [`HCL_REPORT_INDEX`] of the TPM's non-volatile memory. **No signature is verified here.**

mod error;
mod hcl_report;
mod runtime_data;

pub use error::AzureFormatError;
pub use hcl_report::HCL_REPORT_LENGTH;
pub use hcl_report::HardwareReport;
pub use hcl_report::HclReport;
pub use hcl_report::HclReportWriter;
pub use hcl_report::TD_REPORT_LENGTH;
pub use runtime_data::RuntimeData;
pub use runtime_data::VmConfiguration;

/// The index of the virtual TPM's non-volatile memory at which the paravisor leaves the [`HclReport`].
pub const HCL_REPORT_INDEX: u32 = 0x0140_0001;

/// The handle at which the virtual TPM has the attestation key of the runtime data.
pub const AK_HANDLE: u32 = 0x8100_0003;

/// The type (`__cmwc_t`) of the CMW collection in which Evidence of such a VM travels. Private until one is registered.
pub const AZURE_COLLECTION: &str = "tag:atls,2026:azure-cvm";

/// The media type of [`RuntimeData`]. Private until one is registered.
pub const AZURE_RUNTIME_DATA: &str = "application/vnd.atls.azure-runtime-data+json";
