//! A client that a server does not serve, and its stream.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;

use crate::error::Error;
use crate::tls::Rewind;
use crate::tls::farewell;

/// The reason why a connection was not accepted, with its stream if an ordinary HTTPS client waits at the other end.
#[derive(Debug)]
pub struct Refused<IO> {
    error: Error,
    stream: Option<RefusedStream<IO>>,
}

impl<IO> Refused<IO> {
    pub(crate) fn plain(error: Error, stream: Rewind<IO>) -> Self {
        Self {
            error,
            stream: Some(RefusedStream { stream }),
        }
    }

    /// The reason.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The reason, and the stream of a client that does not speak this protocol.
    pub fn into_parts(self) -> (Error, Option<RefusedStream<IO>>) {
        (self.error, self.stream)
    }
}

impl<IO> From<Error> for Refused<IO> {
    fn from(error: Error) -> Self {
        Self {
            error,
            stream: None,
        }
    }
}

impl<IO> fmt::Display for Refused<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<IO: fmt::Debug> std::error::Error for Refused<IO> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// The stream of a client that was to attest itself and does not speak attested TLS.
///
/// Use it to tell the client in HTTP why it is refused. Do not act on its requests: the client is not attested. The stream
/// has no deadline of its own. End it with [`close`](Self::close).
pub struct RefusedStream<IO> {
    stream: Rewind<IO>,
}

impl<IO> RefusedStream<IO> {
    /// The protocol agreed by ALPN.
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.stream.tls.get_ref().1.alpn_protocol()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> RefusedStream<IO> {
    /// Sends `close_notify`, then reads and drops the client's bytes for at most
    /// [`MAX_FAREWELL`](atls_core::limits::MAX_FAREWELL): a socket that is closed with unread bytes is reset, and the
    /// client may lose the answer.
    pub async fn close(mut self) {
        farewell(&mut self.stream).await;
    }
}

impl<IO> fmt::Debug for RefusedStream<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedStream").finish_non_exhaustive()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for RefusedStream<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for RefusedStream<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
