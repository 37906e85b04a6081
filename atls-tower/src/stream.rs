//! A TLS stream whose peer was judged, ready for HTTP.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_core::limits::DEFAULT_GRACE;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Sleep;
use tokio_rustls::TlsStream;

use crate::error::Error;
use crate::exchange::Exchanged;
use crate::layer::AttestationLayer;

/// A TLS stream past its exchange of authenticators. One type for both ends.
///
/// Its reads and writes fail once the peer's attestation expired and [`DEFAULT_GRACE`] has passed, whatever runs
/// above it: HTTP, a WebSocket, a gRPC stream.
pub struct AttestedStream<IO> {
    tls: TlsStream<IO>,
    /// An octet of HTTP that was read to tell a plain client from an attesting one.
    replay: Option<u8>,
    peer: Option<Arc<PeerAttestation>>,
    own_valid_for: Option<Duration>,
    clock: Arc<dyn TimeProvider>,
    end: End,
}

impl<IO> AttestedStream<IO> {
    pub(crate) fn new(
        tls: TlsStream<IO>,
        exchanged: Exchanged,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, Error> {
        let Exchanged {
            peer,
            own_valid_for,
        } = exchanged;
        let end = match &peer {
            Some(peer) => {
                let now = clock
                    .current_time()
                    .ok_or(atls_core::Refusal::Expired(atls_core::Fault::Local))?;
                let left = peer.valid_for(now).saturating_add(DEFAULT_GRACE);
                End::At(Box::pin(tokio::time::sleep(left)))
            }
            None => End::Never,
        };
        Ok(Self {
            tls,
            replay: None,
            peer,
            own_valid_for,
            clock,
            end,
        })
    }

    /// For a plain client, whose first octet of HTTP was read.
    pub(crate) fn plain(tls: TlsStream<IO>, first: u8, clock: Arc<dyn TimeProvider>) -> Self {
        Self {
            tls,
            replay: Some(first),
            peer: None,
            own_valid_for: None,
            clock,
            end: End::Never,
        }
    }

    /// The verified attestation of the peer; `None` where it was not asked to attest, or may go without.
    pub fn peer(&self) -> Option<&Arc<PeerAttestation>> {
        self.peer.as_ref()
    }

    /// How long the peer holds this end's own attestation to be valid, if it said so. Advisory.
    pub fn own_valid_for(&self) -> Option<Duration> {
        self.own_valid_for
    }

    /// The layer that gives the services of this connection the attestation of its peer.
    pub fn layer(&self) -> AttestationLayer {
        AttestationLayer::new(self.peer.clone(), self.clock.clone())
    }

    /// The protocol agreed by ALPN.
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.tls.get_ref().1.alpn_protocol()
    }

    /// The TLS stream below. Reading from it may miss an octet that was read ahead.
    pub fn tls(&self) -> &TlsStream<IO> {
        &self.tls
    }

    /// Fails once the attestation and its grace have ended.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let ended = match &mut self.end {
            End::Never => false,
            End::At(end) => end.as_mut().poll(cx).is_ready(),
            End::Passed => true,
        };
        if ended {
            self.end = End::Passed;
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the peer's attestation has expired",
            ));
        }
        Ok(())
    }
}

/// When the stream ends of itself.
enum End {
    Never,
    At(Pin<Box<Sleep>>),
    Passed,
}

impl<IO> fmt::Debug for AttestedStream<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestedStream")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for AttestedStream<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.poll_end(cx)?;
        if buffer.remaining() > 0
            && let Some(first) = this.replay.take()
        {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.tls).poll_read(cx, buffer)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for AttestedStream<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.poll_end(cx)?;
        Pin::new(&mut this.tls).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.poll_end(cx)?;
        Pin::new(&mut this.tls).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.poll_end(cx)?;
        Pin::new(&mut this.tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}
