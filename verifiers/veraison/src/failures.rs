//! Reasons why the service gave no result. A word in `outcome` of the event names each; the crate's page lists them.

use atls_core::AppraisalError::BadResult;
use atls_core::AppraisalError::Unreachable;
use atls_remote::Failure;
use atls_remote::is_of_type;
use http::Response;
use http::StatusCode;
use http::header::ACCEPT;

pub(crate) const FAILED: Failure = Failure::new(Unreachable, "failed");
pub(crate) const LOCATION: Failure = Failure::new(BadResult, "location");
pub(crate) const MALFORMED: Failure = Failure::new(BadResult, "answer_malformed");
pub(crate) const NONCE: Failure = Failure::new(BadResult, "nonce");
pub(crate) const PENDING: Failure = Failure::new(Unreachable, "pending");
pub(crate) const SESSION_ENDED: Failure = Failure::new(Unreachable, "session_ended");

/// The failure by the status of an answer that is no success. Veraison finds bad Evidence in a result, so no status is the fault of
/// the peer.
pub(crate) fn of_status(response: &Response<Vec<u8>>) -> Failure {
    if is_of_type(response, "application/problem+json") {
        // The problem may quote Evidence and nonces (RFC 9457).
        let words = response.body().iter().take(MAX_WORDS).copied().collect();
        let words: Vec<u8> = words;
        let words = String::from_utf8_lossy(&words);
        tracing::trace!(target: "atls_veraison", ?words, "the service's own words");
    }
    let status = response.status();
    let error = match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let accepted = response.headers().get(ACCEPT);
            let accepted = accepted.and_then(|value| value.to_str().ok());
            return unsupported_media_type(accepted.unwrap_or_default());
        }
        StatusCode::NOT_ACCEPTABLE => return Failure::new(BadResult, "not_acceptable"),
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => BadResult,
        _ => Unreachable,
    };
    Failure::new(error, "status").with_cause(format!("status {}", status.as_u16()))
}

/// The service has no scheme for the format. `accepted` is its list of those that it has.
pub(crate) fn unsupported_media_type(accepted: &str) -> Failure {
    let accepted: String = accepted.escape_debug().take(MAX_WORDS).collect();
    let failure = Failure::new(BadResult, "unsupported_media_type");
    failure.with_cause(format!("the service accepts {accepted}"))
}

/// Characters of the service's text that are kept.
const MAX_WORDS: usize = 2048;
