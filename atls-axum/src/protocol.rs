//! hyper's settings, chosen against hostile clients, and which protocol a connection speaks.
//!
//! The stream of a connection keeps its deadlines, for every protocol. hyper's only timer here is that of keep-alive.

use std::future::Future;
use std::pin::Pin;
use std::pin::pin;
use std::time::Duration;

use axum::BoxError;
use hyper::server::conn::http1;
use hyper::server::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto;

use crate::http2_limits::Http2Limits;

/// The protocol of a connection, as ALPN decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
    /// The client did not negotiate; its first bytes decide.
    Unknown,
}

impl Protocol {
    pub(crate) fn of(alpn: Option<&[u8]>) -> Self {
        match alpn {
            Some(b"h2") => Self::Http2,
            Some(_) => Self::Http1,
            None => Self::Unknown,
        }
    }
}

pub(crate) fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        // The stream's deadlines include those for the head of a request.
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HTTP1_BUFFER);
    builder
}

pub(crate) fn http2(limits: &Http2Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(MAX_HEADER_LIST)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .initial_connection_window_size(limits.window)
        .initial_stream_window_size(limits.stream_window)
        .max_send_buf_size(MAX_SEND_BUFFER);
    builder
}

/// For a client that did not negotiate.
pub(crate) fn either(limits: &Http2Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HTTP1_BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE_ANSWER)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(MAX_HEADER_LIST)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_LOCAL_RESETS)
        .initial_connection_window_size(limits.window)
        .initial_stream_window_size(limits.stream_window)
        .max_send_buf_size(MAX_SEND_BUFFER);
    builder
}

/// Serves a connection until it ends, or until an end has come and the requests under way are answered.
pub(crate) async fn until<C, E>(
    end: impl Future<Output = ()>,
    connection: C,
    shut_down: impl FnOnce(Pin<&mut C>),
) -> Result<(), BoxError>
where
    C: Future<Output = Result<(), E>>,
    E: Into<BoxError>,
{
    let mut connection = pin!(connection);
    tokio::select! {
        ended = &mut connection => return ended.map_err(Into::into),
        () = end => {}
    }
    shut_down(connection.as_mut());
    connection.await.map_err(Into::into)
}

/// Most header fields of one HTTP/1.1 request.
const MAX_HEADERS: usize = 100;

/// Bytes of one HTTP/1.1 connection's buffer in each direction, and so of the largest head.
const MAX_HTTP1_BUFFER: usize = 64 * 1024;

/// Bytes of one HTTP/2 request's header list. h2 derives from it how many CONTINUATION frames one head may take.
const MAX_HEADER_LIST: u32 = 16 * 1024;

/// Most streams that an HTTP/2 client opened and reset before they were served; more ends the connection ("rapid
/// reset").
const MAX_PENDING_RESETS: usize = 20;

/// Most streams of one HTTP/2 connection that this end reset for errors of the client; more ends the connection.
const MAX_LOCAL_RESETS: usize = 256;

/// Bytes of one answer that wait for room at the client, in HTTP/2: two of its frames, so that one is made while the other is sent.
const MAX_SEND_BUFFER: usize = 32 * 1024;

/// How often a silent client is asked for a sign of life, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const KEEP_ALIVE_ANSWER: Duration = Duration::from_secs(20);
