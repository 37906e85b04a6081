//! Why an appraisal by a service ended without a result.

use std::borrow::Cow;

use atls_core::AppraisalError;
use atls_core::ear::EarError;
use atls_core::http::HttpError;
use atls_formats::dcap::QuoteFormatError;
use atls_formats::psa::TokenError;
use atls_formats::snp::SnpFormatError;

/// An appraisal by a service ended without a usable result: the error for the relying party, a stable word for metrics, and the
/// cause for the reader of the log.
///
/// The error alone decides whose fault it was ([`AppraisalError::fault`]). The cause is text, because nothing decides by it: it comes from
/// as many types of error as there are formats, and ends in the log. Code that needs the error of a format calls its `decode`.
///
/// | word | cause |
/// |---|---|
/// | `evidence_malformed`, `evidence_not_bound`, `evidence_unusable` | the Evidence was refused here, and was not sent; the last is for Evidence that lacks an Endorsement, and the like |
/// | `evidence_refused` | the service refused the Evidence |
/// | `no_result` | the service gives no result and no reason |
/// | `unreachable`, `timed_out`, `too_large` | no connection, no answer in time, an answer beyond the limit |
/// | `not_sent` | the client did not send the request: too many, or the service is left alone |
/// | `status` | an HTTP status that says nothing about the Evidence |
/// | `answer_malformed` | an answer without token, or of another media type |
/// | `keys` | the keys of the issuer cannot be fetched |
/// | `result_signature` | the result is signed by another key |
/// | `result_time` | the result is too old, or from the future |
/// | `result_nonce` | the result is about other Evidence |
/// | `missing_part` | the result lacks a part that it must have |
/// | `result_malformed` | the result has another fault |
///
/// A service may add words of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    #[source]
    error: AppraisalError,
    reason: &'static str,
    cause: Cow<'static, str>,
}

impl Failure {
    /// A failure without cause.
    pub const fn new(error: AppraisalError, reason: &'static str) -> Self {
        Self {
            error,
            reason,
            cause: Cow::Borrowed(""),
        }
    }

    /// Adds the cause. It must hold neither Evidence nor text that a peer chose.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Cow::Owned(cause.into());
        self
    }

    /// The error that the relying party gets.
    pub fn error(&self) -> &AppraisalError {
        &self.error
    }

    /// The stable word.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The cause; empty where the word is enough.
    pub fn cause(&self) -> &str {
        &self.cause
    }
}

/// The Evidence was refused before it was sent; the cause is the part at fault.
impl From<QuoteFormatError> for Failure {
    fn from(error: QuoteFormatError) -> Self {
        Self {
            cause: Cow::Borrowed(error.part),
            ..Self::from(AppraisalError::Malformed)
        }
    }
}

/// The Evidence was refused before it was sent; the cause is the part at fault.
impl From<SnpFormatError> for Failure {
    fn from(error: SnpFormatError) -> Self {
        let cause = error.to_string();
        Self::from(AppraisalError::from(error)).with_cause(cause)
    }
}

/// The Evidence was refused before it was sent; the cause is the part at fault.
impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::from(AppraisalError::from(error)).with_cause(error.to_string())
    }
}

/// The Evidence was refused before it was sent.
impl From<AppraisalError> for Failure {
    fn from(error: AppraisalError) -> Self {
        let reason = match error {
            AppraisalError::Malformed => "evidence_malformed",
            AppraisalError::NotBound => "evidence_not_bound",
            _ => "evidence_unusable",
        };
        Self::new(error, reason)
    }
}

/// The result cannot be accepted.
impl From<EarError> for Failure {
    fn from(error: EarError) -> Self {
        let reason = match error {
            EarError::Algorithm | EarError::BadSignature | EarError::UnknownKey => {
                "result_signature"
            }
            EarError::Expired | EarError::Future => "result_time",
            EarError::MissingSubmod => "missing_part",
            EarError::NoKeys => "keys",
            EarError::Nonce => "result_nonce",
            _ => "result_malformed",
        };
        let cause = error.to_string();
        Self::new(error.into(), reason).with_cause(cause)
    }
}

/// The service was not asked, or did not answer within the limits.
impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let (refusal, reason) = match error {
            HttpError::NotSent(_) => (AppraisalError::Unreachable, "not_sent"),
            HttpError::TimedOut => (AppraisalError::Unreachable, "timed_out"),
            HttpError::TooLarge => (AppraisalError::BadResult, "too_large"),
            _ => (AppraisalError::Unreachable, "unreachable"),
        };
        Self::new(refusal, reason).with_cause(error.to_string())
    }
}

impl From<Failure> for AppraisalError {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

#[cfg(test)]
mod tests {
    use atls_formats::dcap::Quote;
    use atls_formats::dcap::Tee;
    use atls_formats::snp::Report;

    use super::*;

    #[test]
    fn the_part_at_fault_is_the_cause() {
        let quote = Quote::decode(b"nothing", Tee::Tdx).unwrap_err();
        let failure = Failure::from(quote);
        assert_eq!(failure.cause(), quote.part);
        assert_eq!(failure.error(), &AppraisalError::Malformed);
        let report = Report::decode(b"nothing").unwrap_err();
        let cause = report.to_string();
        let failure = Failure::from(report);
        assert_eq!(failure.cause(), cause);
        assert_eq!(failure.reason(), "evidence_malformed");
    }
}
