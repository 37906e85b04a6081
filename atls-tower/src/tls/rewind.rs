//! A TLS stream of which the first byte was read already.

use std::io;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use atls_core::limits::MAX_FAREWELL;
use atls_core::limits::MAX_FRAME;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::ReadBuf;
use tokio_rustls::TlsStream;

use crate::weaker::Recorded;

/// A TLS stream, and the byte that was read from it to tell a plain client from an attesting one.
#[derive(Debug)]
pub(crate) struct Rewind<IO> {
    pub(crate) tls: TlsStream<Recorded<IO>>,
    first: Option<u8>,
}

impl<IO> Rewind<IO> {
    pub(crate) fn new(tls: TlsStream<Recorded<IO>>, first: Option<u8>) -> Self {
        Self { tls, first }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for Rewind<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() > 0
            && let Some(first) = this.first.take()
        {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.tls).poll_read(cx, buffer)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Rewind<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}

/// Ends a connection so that its peer sees all that was said: sends `close_notify`, then takes what the peer still
/// sends, because closing a socket with unread bytes resets it and destroys what is under way to the peer.
pub(crate) async fn farewell<S>(stream: &mut S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limit = u64::try_from(MAX_FRAME).unwrap_or(u64::MAX);
    let ending = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(limit), &mut tokio::io::sink()).await
    };
    // The connection ends either way.
    let _ = tokio::time::timeout(MAX_FAREWELL, ending).await;
}
