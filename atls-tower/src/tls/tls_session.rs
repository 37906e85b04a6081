//! A TLS stream past its handshake, as the protocol sees it.

use std::io;
use std::io::Write;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use atls_core::ProtocolError;
use atls_core::session::Handshake;
use atls_core::session::Session;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio_rustls::TlsStream;

use super::farewell::farewell;
use crate::error::Error;

/// A TLS stream together with the facts of its handshake. The stream is boxed: it has more than a KiB, and passes through a dozen
/// results and futures.
#[derive(Debug)]
pub(crate) struct TlsSession<IO> {
    pub(crate) tls: Box<TlsStream<IO>>,
    pub(crate) handshake: Handshake,
}

impl<IO> TlsSession<IO> {
    /// Takes what rustls has room for, as one record where it fits, without sending it.
    fn buffer(&mut self, data: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match &mut *self.tls {
            TlsStream::Client(stream) => stream.get_mut().1.writer().write_vectored(data),
            TlsStream::Server(stream) => stream.get_mut().1.writer().write_vectored(data),
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> TlsSession<IO> {
    /// Closes the connection for this error, and gives the error back. A peer that has closed it gets no farewell.
    pub(crate) async fn close_for(mut self, error: Error) -> Error {
        if !error.is_closed() {
            farewell(&mut self.tls).await;
        }
        error
    }
}

impl<IO: Send> Session for TlsSession<IO> {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        let exported = match &*self.tls {
            TlsStream::Client(stream) => stream
                .get_ref()
                .1
                .export_keying_material(output, label, Some(context))
                .map(drop),
            TlsStream::Server(stream) => stream
                .get_ref()
                .1
                .export_keying_material(output, label, Some(context))
                .map(drop),
        };
        exported.map_err(|_| ProtocolError::Export)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsSession<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_read(cx, buffer)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for TlsSession<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        // The messages of one turn leave in one flight, with the flush; only the excess of rustls' buffer leaves before.
        match this.buffer(&[io::IoSlice::new(data)])? {
            0 => Pin::new(&mut this.tls).poll_write(cx, data),
            buffered => Poll::Ready(Ok(buffered)),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match this.buffer(data)? {
            0 => Pin::new(&mut this.tls).poll_write_vectored(cx, data),
            buffered => Poll::Ready(Ok(buffered)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}
