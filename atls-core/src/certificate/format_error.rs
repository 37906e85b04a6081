//! Evidence that does not fit into a certificate.

use crate::cmw::CmwError;

/// What an attester made does not fit into the format of the certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// It does not encode.
    #[error("evidence does not fit in a CMW")]
    Cmw(#[from] CmwError),
    /// It is anything but one SGX or TDX quote without event log. Use [`Format::Cmw`](super::Format::Cmw).
    #[error("DICE tagged evidence holds one SGX or TDX quote and nothing else")]
    NoQuote,
    /// The attester does not know [`AttestRequest::report_data`](crate::AttestRequest::report_data). Use another, or [`Format::Cmw`](super::Format::Cmw).
    #[error("attester did not quote the report data of DICE tagged evidence")]
    ReportData,
}
