//! The errors of bytes that are no SEV-SNP Evidence.

use atls_core::AppraisalError;
use thiserror::Error;

use crate::tsm::TsmReportError;

/// The part that keeps bytes from being SEV-SNP Evidence. The cure is with the machine that made them, unless its processor or its
/// version is newer than this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SnpFormatError {
    /// The envelope is not one of configfs-tsm.
    #[error("envelope is not one of configfs-tsm")]
    Envelope(#[from] TsmReportError),
    /// The report is of a processor that this crate does not know.
    #[error("report is of an unknown processor")]
    Processor,
    /// The envelope's report is not of SEV-SNP.
    #[error("envelope is of another provider than sev_guest")]
    Provider,
    /// The report has a wrong length, an unknown version, or reserved bytes that are not zero.
    #[error("report is not of versions 2 to 5")]
    Report,
    /// The certificate table has no end, points outside of itself, or repeats a kind.
    #[error("certificate table is malformed")]
    Table,
    /// The report says itself that no key signed it.
    #[error("report says that no key signed it")]
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
