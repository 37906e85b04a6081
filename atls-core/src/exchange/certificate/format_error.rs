//! Evidence that does not fit into a certificate.

use crate::cmw::CmwError;

/// Evidence does not fit into the format of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The CMW cannot be encoded.
    #[error("evidence does not fit in a CMW")]
    Cmw(#[from] CmwError),
    /// The Evidence is something else than one SGX or TDX quote without event log. Use [`Format::Cmw`](super::Format::Cmw).
    #[error("DICE tagged evidence holds one SGX or TDX quote and nothing else")]
    NoQuote,
    /// The attester ignores [`AttestRequest::report_data`](crate::AttestRequest::report_data). Use another attester, or [`Format::Cmw`](super::Format::Cmw).
    #[error("attester did not quote the report data of DICE tagged evidence")]
    ReportData,
}
