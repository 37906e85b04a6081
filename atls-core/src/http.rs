//! The one joint for outgoing HTTP: requests to verifiers and for collateral, bytes in, bytes out.

use std::fmt;
use std::time::Duration;

use crate::box_future::BoxFuture;

/// Sends one HTTP request. Whoever implements it brings the sockets, the clock and the trust anchors.
///
/// No URL that a peer chose is ever sent through it.
pub trait HttpClient: Send + Sync {
    /// Sends the request and collects the response, whatever its status code.
    ///
    /// An implementation must give up at [`HttpLimits::deadline`], must not collect more than
    /// [`HttpLimits::max_body`] bytes, and must not follow a redirect to another origin.
    ///
    /// # Errors
    /// [`HttpError`]: there is no response, or none that may be used.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>>;
}

/// How long and how large an answer may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// From the call to the last byte of the response, everything together.
    pub deadline: Duration,
    /// Bytes of the response's body, after any content decoding.
    pub max_body: usize,
}

impl HttpLimits {
    /// Both limits.
    pub fn new(deadline: Duration, max_body: usize) -> Self {
        Self { deadline, max_body }
    }
}

/// A request got no usable response. The text of a lower layer is kept for logs, and for nothing else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// Not sent: too many requests are under way, or the service failed so often that it is left alone for a while.
    #[error("service is not asked at the moment: {0}")]
    NotSent(NotSent),
    /// The body is larger than its limit.
    #[error("response is larger than its limit")]
    TooLarge,
    /// No complete response by the deadline.
    #[error("no response within the deadline")]
    TimedOut,
    /// No connection, no TLS, no attestation, or a connection that broke.
    #[error("service could not be reached: {0}")]
    Unreachable(String),
}

/// Why a request was not even sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotSent {
    /// As many requests as are allowed are under way.
    Busy,
    /// Recent requests failed; the next one goes out after a pause.
    Failing,
    /// As many requests as are allowed in this time were sent.
    TooOften,
}

impl fmt::Display for NotSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many requests are under way",
            Self::Failing => "it failed repeatedly",
            Self::TooOften => "too many requests were sent of late",
        })
    }
}
