//! Reads the `client_random` of a ClientHello off the wire.

use std::io;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use atls_core::session::Side;
use rustls::server::Acceptor;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::StartHandshake;

use crate::error::Error;

/// Reads a ClientHello. Gives its `client_random` too, if the first record holds all of it up to there: a ClientHello in
/// smaller pieces is legal, rare, and not worth a parser here.
///
/// # Errors
/// Those of TLS.
pub(super) async fn read_client_hello<IO>(
    io: IO,
) -> Result<(StartHandshake<IO>, Option<[u8; 32]>), Error>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let recorder = HelloRecorder {
        io,
        head: Vec::with_capacity(HEAD),
    };
    let StartHandshake { accepted, io, .. } =
        LazyConfigAcceptor::new(Acceptor::default(), recorder)
            .await
            .map_err(|error| Error::tls(Side::Client, error))?;
    let random = client_random(&io.head);
    Ok((StartHandshake::from_parts(accepted, io.io), random))
}

/// Keeps the first bytes that are read from a transport, up to the end of the `client_random`.
struct HelloRecorder<IO> {
    io: IO,
    head: Vec<u8>,
}

/// The head is a record header of 5 bytes (type, version, length), a handshake header of 4 (type, length), the
/// legacy_version of 2, and the random.
fn client_random(head: &[u8]) -> Option<[u8; 32]> {
    match head {
        [0x16, _, _, high, low, 1, _, _, _, _, _, random @ ..]
            if usize::from(u16::from_be_bytes([*high, *low])) >= HEAD - RECORD_HEADER =>
        {
            random.try_into().ok()
        }
        _ => None,
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for HelloRecorder<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buffer);
        let wanted = HEAD.saturating_sub(this.head.len());
        let fresh = buffer.filled().iter().skip(before).take(wanted);
        this.head.extend(fresh);
        polled
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for HelloRecorder<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, data)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

const RECORD_HEADER: usize = 5;
const HEAD: usize = RECORD_HEADER + 4 + 2 + 32;
