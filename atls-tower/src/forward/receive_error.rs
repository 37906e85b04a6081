//! Why a forwarded result was not accepted.

use atls_core::ear::EarError;

/// A request without a forwarded result, or with one that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// The request has no statement: its client is unattested, or it came around the service that states.
    #[error("request has no forwarded result")]
    Absent,
    /// The request has several statements.
    #[error("request has several forwarded results")]
    Ambiguous,
    /// The statement was received before; or it may have been, because the clock was set back to a time of which statements are
    /// forgotten.
    #[error("forwarded result was used before")]
    Used,
    /// So many statements came that this one could not be remembered. Remember more, or see who sends so many.
    #[error("too many forwarded results to tell whether this one was used before")]
    Full,
    /// The peer is bound more weakly than is accepted, or simulated, or its status is not accepted.
    #[error("peer is attested, and less than this service accepts")]
    Insufficient,
    /// The statement was not verified.
    #[error("forwarded result was not verified")]
    Invalid(#[from] EarError),
    /// The clock gave no time.
    #[error("clock gave no time")]
    NoTime,
    /// A verifier's result is beside the statement that the statement does not name.
    #[error("result of a verifier is not the one of the statement")]
    OtherToken,
}
