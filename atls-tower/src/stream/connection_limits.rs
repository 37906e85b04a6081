//! The limits of the waits of a server's connection.

use std::time::Duration;

use atls_core::limits::DEFAULT_FIRST_REQUEST;
use atls_core::limits::DEFAULT_IDLE;
use atls_core::limits::DEFAULT_REQUEST_BODY;
use atls_core::limits::DEFAULT_UNREAD;

/// How long a server waits for the client of a connection, once the exchange is over.
///
/// ```
/// # use std::time::Duration;
/// let mut limits = atls_tower::ConnectionLimits::default();
/// limits.idle = Duration::from_secs(600);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// From the end of the exchange to the first complete head of a request.
    pub first_request: Duration,
    /// From the end of the last answer to the complete head of the next request. An upgraded connection, such as a
    /// WebSocket, ends when it carries no byte for so long.
    pub idle: Duration,
    /// For the client to take 64 KiB of an answer, or the rest of it. Of several answers at once, any one counts, for at most ten
    /// times as long.
    pub unread: Duration,
    /// For the next bytes of a request's body, until the request is answered.
    pub request_body: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            first_request: DEFAULT_FIRST_REQUEST,
            idle: DEFAULT_IDLE,
            unread: DEFAULT_UNREAD,
            request_body: DEFAULT_REQUEST_BODY,
        }
    }
}
