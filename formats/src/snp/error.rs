//! Reasons why bytes are no SEV-SNP Evidence.

use atls_core::AppraisalError;
use thiserror::Error;

use crate::tsm::TsmReportError;

/// Why bytes are no SEV-SNP Evidence. The cure of each is with the machine that made them, but for a processor or a version
/// that is newer than this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SnpFormatError {
    /// The envelope is not one of configfs-tsm.
    #[error("envelope is not one of configfs-tsm")]
    Envelope(#[from] TsmReportError),
    /// The report is of a processor whose root is not known here.
    #[error("report is of an unknown processor")]
    Processor,
    /// The envelope's report is not of SEV-SNP.
    #[error("envelope is of another provider than sev_guest")]
    Provider,
    /// The report has another length or version than one has, or reserved bytes of it are not zero.
    #[error("report has not the form of versions 2 to 5")]
    Report,
    /// The certificate table has no end, points outside of itself, or has a kind twice.
    #[error("certificate table is malformed")]
    Table,
    /// The report says itself that no key signed it.
    #[error("report is not signed")]
    Unsigned,
}

impl From<SnpFormatError> for AppraisalError {
    fn from(error: SnpFormatError) -> Self {
        match error {
            SnpFormatError::Processor => Self::UnknownKey,
            SnpFormatError::Unsigned => Self::BadSignature,
            SnpFormatError::Envelope(_)
            | SnpFormatError::Provider
            | SnpFormatError::Report
            | SnpFormatError::Table => Self::Malformed,
        }
    }
}
