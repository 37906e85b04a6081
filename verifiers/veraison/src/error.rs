//! Why there is no result.

use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::ear::EarError;
use atls_core::ear::KeyError;
use atls_core::http::HttpError;

use crate::fingerprint::KeyFingerprint;
use crate::problem::Problem;

/// Veraison gave no result that may be used. All of these are refusals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VeraisonError {
    /// The Evidence failed the check that comes before any submission; nothing was sent.
    #[error("evidence was refused before submission")]
    Evidence(#[source] AppraisalError),
    /// The service failed the session, or the whole appraisal, on its own account.
    #[error("service failed to appraise")]
    Failed,
    /// No answer: no connection, none in time, or one that is too large.
    #[error("service gave no answer")]
    Http(#[from] HttpError),
    /// The key in the discovery document cannot be used.
    #[error("key of the service cannot be used")]
    Key(#[from] KeyError),
    /// The key in the discovery document is not the pinned one. Either somebody else answers, or the operator changed the
    /// key: ask them, then pin the new one.
    #[error("key of the service is not the pinned one but {0}")]
    KeyChanged(KeyFingerprint),
    /// The `Location` of the session is absent, or leads to another origin or out of the API.
    #[error("service names a session elsewhere")]
    Location,
    /// An answer is not what the API says: content type, JSON, a member or its value.
    #[error("answer of the service is malformed")]
    Malformed,
    /// The result says nothing about a part of the attester that it must judge.
    #[error("result lacks the part {0:?}")]
    MissingPart(String),
    /// The session is about another nonce than the one it was opened with.
    #[error("service answers about another nonce")]
    Nonce,
    /// 406: the service speaks another version of the API.
    #[error("service cannot answer in the format of this API")]
    NotAcceptable,
    /// A nonce is 8 to 64 octets.
    #[error("nonce is not 8 to 64 octets")]
    NonceLength,
    /// The service was still appraising after the last poll. Raise the number of polls, or its capacity.
    #[error("service is still appraising after the last poll")]
    Pending,
    /// The result's signature, time or nonce is wrong.
    #[error("result cannot be accepted")]
    Result(#[source] EarError),
    /// 404: the session has expired or was deleted.
    #[error("session has ended")]
    SessionEnded,
    /// Another status than the API has for success. The service's own words are in the [`Problem`].
    #[error("service answered with status {status}")]
    Status {
        /// The HTTP status code.
        status: u16,
        /// RFC 9457, where the service sent it.
        problem: Option<Problem>,
    },
    /// The deadline passed. Which step was under way is in the trace.
    #[error("no result within the deadline")]
    TimedOut,
    /// The service has no scheme for this format. Enable one of its schemes, or use a format that it accepts.
    #[error("service does not appraise this format; it accepts {}", list(.0))]
    UnsupportedMediaType(Vec<MediaType>),
}

impl VeraisonError {
    /// A stable word for metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Evidence(AppraisalError::NotBound) => "evidence_not_bound",
            Self::Evidence(_) => "evidence_malformed",
            Self::Failed => "failed",
            Self::Http(HttpError::NotSent(_)) => "held",
            Self::Http(HttpError::TooLarge) => "too_large",
            Self::Http(HttpError::TimedOut) | Self::TimedOut => "timed_out",
            Self::Http(_) => "unreachable",
            Self::Key(_) => "key",
            Self::KeyChanged(_) => "key_changed",
            Self::Location => "location",
            Self::Malformed => "malformed",
            Self::MissingPart(_) => "missing_part",
            Self::Nonce => "nonce",
            Self::NotAcceptable => "not_acceptable",
            Self::NonceLength => "nonce_length",
            Self::Pending => "pending",
            Self::Result(EarError::Expired | EarError::Future) => "result_time",
            Self::Result(EarError::Nonce) => "result_nonce",
            Self::Result(EarError::Algorithm | EarError::BadSignature | EarError::UnknownKey) => {
                "result_signature"
            }
            Self::Result(_) => "result_malformed",
            Self::SessionEnded => "session_ended",
            Self::Status { .. } => "status",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
        }
    }

    /// Whose fault it was: the peer's for its Evidence, ours for a nonce of the wrong length, else the service's.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Evidence(error) => error.fault(),
            Self::NonceLength => Fault::Local,
            _ => Fault::Verifier,
        }
    }
}

impl From<VeraisonError> for AppraisalError {
    fn from(error: VeraisonError) -> Self {
        match error {
            VeraisonError::Evidence(error) => error,
            // A result that is old when it is made is the service's mistake, not expired Evidence.
            VeraisonError::Failed
            | VeraisonError::Http(_)
            | VeraisonError::Pending
            | VeraisonError::SessionEnded
            | VeraisonError::TimedOut => Self::Unreachable,
            VeraisonError::Status { status, .. } if status >= 500 => Self::Unreachable,
            _ => Self::BadResult,
        }
    }
}

fn list(accepted: &[MediaType]) -> String {
    let names: Vec<_> = accepted.iter().map(MediaType::to_string).collect();
    names.join(", ")
}
