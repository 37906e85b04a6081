//! Why there is no result.

use atls_core::Fault;
use atls_core::MediaType;
use atls_core::ear::KeyError;
use atls_core::http::HttpError;

use crate::fingerprint::KeyFingerprint;
use crate::problem::Problem;

/// Veraison gave no result that may be used. All of these are refusals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VeraisonError {
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
    /// The session is about another nonce than the one it was opened with.
    #[error("service answers about another nonce")]
    Nonce,
    /// 406: the service speaks another version of the API.
    #[error("service cannot answer in the format of this API")]
    NotAcceptable,
    /// A nonce is 8 to 64 bytes.
    #[error("nonce is not 8 to 64 bytes")]
    NonceLength,
    /// The service was still appraising after the last poll. Raise the number of polls, or its capacity.
    #[error("service is still appraising after the last poll")]
    Pending,
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
    /// The service has no scheme for this format. Enable one of its schemes, or use a format that it accepts.
    #[error("service does not appraise this format; it accepts {}", list(.0))]
    UnsupportedMediaType(Vec<MediaType>),
}

impl VeraisonError {
    /// A stable word for metrics: the `outcome` of an appraisal, beside those of [`Failure`](atls_remote::Failure).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Http(HttpError::NotSent(_)) => "held",
            Self::Http(HttpError::TimedOut) => "timed_out",
            Self::Http(HttpError::TooLarge) => "too_large",
            Self::Http(_) => "unreachable",
            Self::Key(_) => "key",
            Self::KeyChanged(_) => "key_changed",
            Self::Location => "location",
            Self::Malformed => "answer_malformed",
            Self::Nonce => "nonce",
            Self::NotAcceptable => "not_acceptable",
            Self::NonceLength => "nonce_length",
            Self::Pending => "pending",
            Self::SessionEnded => "session_ended",
            Self::Status { .. } => "status",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
        }
    }

    /// Whose fault it was: ours for a nonce of the wrong length, and the service's for everything else.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NonceLength => Fault::Local,
            _ => Fault::Verifier,
        }
    }
}

fn list(accepted: &[MediaType]) -> String {
    let names: Vec<_> = accepted.iter().map(MediaType::to_string).collect();
    names.join(", ")
}
