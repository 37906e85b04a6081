//! Why a forwarded result was not accepted.

use atls_core::Fault;
use atls_core::ear::EarError;

use super::shortfall::Shortfall;
use crate::layer::Problem;

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
    #[error("peer is attested, and proves less than this service accepts")]
    Insufficient(#[source] Shortfall),
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

impl ReceiveError {
    /// The end at fault: the peer is whoever sent the request.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Full | Self::NoTime => Fault::Local,
            _ => Fault::Peer,
        }
    }

    /// The answer to the request. It tells the sender little.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Absent => Problem::Required,
            Self::Insufficient(_) => Problem::Insufficient,
            _ => Problem::NotVerified,
        }
    }
}
