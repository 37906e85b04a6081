//! The HTTP client that verifiers and sources of collateral are given.
//!
//! A request goes in, and a response comes out whatever its status code, or an [`HttpError`]. This crate has no implementation;
//! `atls-remote` has one over reqwest.

use std::fmt;
use std::time::Duration;

use crate::box_future::BoxFuture;

/// Sends HTTP requests. An implementation brings the sockets, the clock and the trust anchors.
///
/// No verifier sends a URL that a peer chose.
pub trait HttpClient: Send + Sync {
    /// Sends the request and collects the response, whatever its status code.
    ///
    /// An implementation must give up at [`HttpLimits::deadline`], must not collect more than
    /// [`HttpLimits::max_body`] bytes, and must not follow a redirect to another origin.
    ///
    /// # Errors
    /// [`HttpError`] where there is no response, or none that may be used.
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>>;
}

/// The limits of one response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpLimits {
    /// The longest time from the call to the last byte of the response.
    pub deadline: Duration,
    /// The most bytes of the response's body, after content decoding.
    pub max_body: usize,
}

impl HttpLimits {
    /// Limits of time and of size.
    pub fn new(deadline: Duration, max_body: usize) -> Self {
        Self { deadline, max_body }
    }
}

/// A request got no usable response. The text of a lower layer is for logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The request was not sent, to spare the service.
    #[error("service is not asked at the moment: {0}")]
    NotSent(NotSent),
    /// The body is larger than its limit.
    #[error("response is larger than its limit")]
    TooLarge,
    /// The response was not complete by the deadline.
    #[error("no response within the deadline")]
    TimedOut,
    /// The connection could not be made or broke, or its TLS or attestation failed.
    #[error("service could not be reached: {0}")]
    Unreachable(String),
}

/// The reason for which a request was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotSent {
    /// The most requests that are allowed are under way.
    Busy,
    /// Recent requests failed. The next one goes out after a pause.
    Failing,
    /// The most requests that are allowed in this time were sent.
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
