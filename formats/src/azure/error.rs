//! Failures of the readers.

use atls_core::AppraisalError;

/// The bytes are none of Azure's structures; the variant names the part at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AzureFormatError {
    /// The header of the HCL report: its length, magic, version, size, type of request, status or reserved bytes.
    #[error("HCL report has no header of a known version")]
    Header,
    /// The place of the hardware's report holds none of the kind that is named behind it.
    #[error("HCL report has no hardware report of the kind that it names")]
    Hardware,
    /// The header of the runtime data: its size, version, type of report, type of hash or length.
    #[error("runtime data of the HCL report has no header of a known version")]
    RuntimeHeader,
    /// The runtime data in JSON, or the attestation key in it.
    #[error(
        "runtime data is malformed, or has not exactly one attestation key, RSA with 2048 bits or more"
    )]
    RuntimeData,
    /// The report data of the hardware's report is not the digest of the runtime data beside it.
    #[error("hardware report is about other runtime data")]
    Link,
}

impl From<AzureFormatError> for AppraisalError {
    fn from(error: AzureFormatError) -> Self {
        match error {
            AzureFormatError::Link => Self::NotChained,
            _ => Self::Malformed,
        }
    }
}
