//! The failures that leave a quote without a result.

use atls_collateral::CollateralError;
use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::Stale;
use atls_formats::dcap::EventLogError;
use atls_formats::dcap::QuoteFormatError;

/// A quote that could not be appraised. Each of these refuses the peer; the operator of the verifier reads the difference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// A signature in the quote or in its PCK chain does not verify, or the chain does not end at the trusted root.
    #[error("signature of the quote or of its certificates does not verify")]
    BadSignature,
    /// The collateral is not signed by the root, or is about another platform. Its supplier must replace it.
    #[error("collateral is not signed by the root or is about another platform")]
    Collateral,
    /// The event log does not lead to the RTMRs of the quote.
    #[error("event log does not lead to the measurements of the quote")]
    EventLog,
    /// A certificate, or the collateral that the peer sent along, is outside of its validity at the given time.
    #[error("certificate or collateral of the peer is outside of its validity")]
    Expired,
    /// The Evidence is not of its format; the text says which part.
    #[error("quote is malformed: {0}")]
    Malformed(&'static str),
    /// Our source, which could ask for it, has no collateral for this platform, and the peer sent none that can be used.
    #[error("no collateral for this platform")]
    NoCollateral,
    /// The peer sent no collateral that can be used, and our source has none for this platform and can ask nobody. Let the
    /// peer send it along, or use a source that fetches.
    #[error("peer sent no collateral that can be used")]
    NotSent,
    /// Our own collateral is outside of its validity at the given time: the piece that it names. Renew it.
    #[error("collateral at hand is outside of its validity: {0}")]
    Outdated(Stale),
    /// The DCAP library and this crate read different reports in the quote. One of them has a fault: report it, with the quote.
    #[error("DCAP library and this crate read different reports in the quote")]
    ReportMismatch,
    /// A certificate of the quote's chain is on a revocation list.
    #[error("certificate of the platform is revoked")]
    Revoked,
    /// The collateral has a lower `tcbEvaluationDataNumber` than the policy demands or than was seen before.
    #[error("collateral is older than what is demanded or was seen before")]
    Superseded,
    /// Collateral could not be fetched.
    #[error("collateral could not be fetched")]
    Unavailable(#[source] CollateralError),
}

impl QuoteError {
    pub(crate) const PCK_CERTIFICATE: Self = Self::Malformed("PCK certificate");
}

impl From<QuoteFormatError> for QuoteError {
    fn from(error: QuoteFormatError) -> Self {
        Self::Malformed(error.part)
    }
}

impl From<EventLogError> for QuoteError {
    fn from(_: EventLogError) -> Self {
        Self::EventLog
    }
}

impl From<QuoteError> for AppraisalError {
    fn from(error: QuoteError) -> Self {
        match error {
            QuoteError::Malformed(_) | QuoteError::EventLog => Self::Malformed,
            QuoteError::BadSignature | QuoteError::Revoked => Self::BadSignature,
            QuoteError::Expired => Self::Expired,
            // A verifier without the collateral that it needs is its operator's fault.
            QuoteError::Outdated(stale) => Self::StaleCollateral(stale),
            QuoteError::Unavailable(CollateralError::Expired) => Self::StaleCollateral(
                Stale::undated("collateral of Intel's service or of the cache"),
            ),
            QuoteError::Collateral => missing("collateral that the root signed", Fault::Verifier),
            QuoteError::ReportMismatch => {
                Self::Local("the DCAP library and this crate read different reports in the quote")
            }
            QuoteError::NoCollateral => missing("collateral", Fault::Verifier),
            QuoteError::NotSent => missing("collateral", Fault::Peer),
            QuoteError::Superseded => missing(
                "collateral as new as min-tcb-evaluation-data-number demands or as was seen before",
                Fault::Verifier,
            ),
            QuoteError::Unavailable(_) => Self::Unreachable,
        }
    }
}

fn missing(what: &'static str, due_from: Fault) -> AppraisalError {
    AppraisalError::NoEndorsement { what, due_from }
}
