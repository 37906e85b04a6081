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
use atls_core::pki_types::UnixTime;
use rustls::CommonState;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tokio::time::Sleep;
use tokio_rustls::TlsStream;

use crate::error::Error;
use crate::exchange::Exchanged;
use crate::layer::AttestationLayer;
use crate::layer::ClientDemand;
use crate::weaker::Recorded;

/// A TLS stream past its exchange of authenticators. One type for both ends.
///
/// From [`drains_at`](Self::drains_at) on it should take no further requests. Its reads and writes fail
/// [`DEFAULT_GRACE`] later, whatever runs above it: HTTP, a WebSocket, a gRPC stream.
pub struct AttestedStream<IO> {
    tls: TlsStream<Recorded<IO>>,
    /// An octet of HTTP that was read to tell a plain client from an attesting one.
    replay: Option<u8>,
    peer: Option<Arc<PeerAttestation>>,
    own_valid_for: Option<Duration>,
    own_expires_at: Option<UnixTime>,
    demand: ClientDemand,
    clock: Arc<dyn TimeProvider>,
    life: Life,
    opening: Option<Box<Opening>>,
}

impl<IO> AttestedStream<IO> {
    pub(crate) fn new(
        tls: TlsStream<Recorded<IO>>,
        exchanged: Exchanged,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, Error> {
        let Exchanged {
            peer,
            own_valid_for,
        } = exchanged;
        let now = clock
            .current_time()
            .ok_or(atls_core::Refusal::Expired(atls_core::Fault::Local))?;
        let peer_valid_for = peer.as_ref().map(|peer| peer.valid_for(now));
        // The peer's word on our own attestation can end the connection earlier, and do nothing else.
        let ends = [peer_valid_for, own_valid_for].into_iter().flatten().min();
        Ok(Self {
            tls,
            replay: None,
            peer,
            own_valid_for,
            clock,
            own_expires_at: own_valid_for.and_then(|valid_for| later(now, valid_for)),
            demand: ClientDemand::OfSome,
            life: Life::of(ends),
            opening: None,
        })
    }

    /// For a client that does not open the exchange, whose first octet of HTTP was read.
    pub(crate) fn after_octet(
        tls: TlsStream<Recorded<IO>>,
        first: u8,
        peer: Option<Arc<PeerAttestation>>,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, Error> {
        let exchanged = Exchanged {
            peer,
            own_valid_for: None,
        };
        let mut this = Self::new(tls, exchanged, clock)?;
        this.replay = Some(first);
        Ok(this)
    }

    /// Of whom the server that accepted it demands attestation; for its layer.
    pub(crate) fn demanding(mut self, demand: ClientDemand) -> Self {
        self.demand = demand;
        self
    }

    /// Fails the first read unless an octet arrives in time. The guard, such as a permit among pending connections, is
    /// dropped with the first octet.
    #[must_use]
    pub fn first_octet_within<G>(mut self, wait: Duration, guard: G) -> Self
    where
        G: Send + Sync + 'static,
    {
        if self.replay.is_none() {
            self.opening = Some(Box::new(Opening {
                deadline: Box::pin(tokio::time::sleep(wait)),
                _guard: Box::new(guard),
            }));
        }
        self
    }

    /// Ends the stream at [`drains_at`](Self::drains_at), without grace: for servers that cannot tell an HTTP/2 client
    /// to go elsewhere.
    #[must_use]
    pub fn without_grace(mut self) -> Self {
        self.life.grace = Duration::ZERO;
        self
    }

    /// The verified attestation of the peer; `None` where it was not asked to attest, or may go without.
    pub fn peer(&self) -> Option<&Arc<PeerAttestation>> {
        self.peer.as_ref()
    }

    /// How long the peer holds this end's own attestation to be valid, if it said so. Advisory.
    pub fn own_valid_for(&self) -> Option<Duration> {
        self.own_valid_for
    }

    /// When either attestation expires: the peer's, or this end's own by the peer's word. `None` is never.
    pub fn drains_at(&self) -> Option<Instant> {
        self.life.drains_at
    }

    /// Whether [`drains_at`](Self::drains_at) has passed.
    pub fn is_draining(&self) -> bool {
        self.drains_at().is_some_and(|at| Instant::now() >= at)
    }

    /// The layer that gives the services of this connection the attestation of its peer.
    pub fn layer(&self) -> AttestationLayer {
        AttestationLayer::new(
            self.peer.clone(),
            self.clock.clone(),
            self.own_expires_at,
            self.demand,
        )
    }

    /// The protocol agreed by ALPN.
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.tls.get_ref().1.alpn_protocol()
    }

    /// The transport, and the TLS connection on it.
    pub fn get_ref(&self) -> (&IO, &CommonState) {
        let (transport, connection) = self.tls.get_ref();
        (transport.get_ref(), connection)
    }
}

/// When the stream ends of itself.
///
/// Reading and writing have a timer each: a timer wakes one task, and a stream may be split between two.
struct Life {
    drains_at: Option<Instant>,
    grace: Duration,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl Life {
    fn of(valid_for: Option<Duration>) -> Self {
        let now = Instant::now();
        Self {
            // A time too far to be represented is none.
            drains_at: valid_for.and_then(|valid_for| now.checked_add(valid_for)),
            grace: DEFAULT_GRACE,
            reading: None,
            writing: None,
        }
    }

    /// Fails once the end has come.
    fn check(&self) -> io::Result<()> {
        match self.ends_at() {
            Some(end) if Instant::now() >= end => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "attestation on this connection has expired",
            )),
            _ => Ok(()),
        }
    }

    /// For a read that waits: wakes it when the end comes, and when draining begins.
    fn wake_reader(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let now = Instant::now();
        let next = match (self.drains_at, self.ends_at()) {
            (Some(drain), _) if now < drain => drain,
            (_, Some(end)) => end,
            _ => return Ok(()),
        };
        poll_timer(&mut self.reading, next, cx);
        self.check()
    }

    /// For a write or flush that waits.
    fn wake_writer(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if let Some(end) = self.ends_at() {
            poll_timer(&mut self.writing, end, cx);
        }
        self.check()
    }

    fn ends_at(&self) -> Option<Instant> {
        self.drains_at?.checked_add(self.grace)
    }
}

fn later(now: UnixTime, wait: Duration) -> Option<UnixTime> {
    let seconds = now.as_secs().checked_add(wait.as_secs())?;
    Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

fn poll_timer(timer: &mut Option<Pin<Box<Sleep>>>, at: Instant, cx: &mut Context<'_>) {
    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
    if timer.deadline() != at {
        timer.as_mut().reset(at);
    }
    if timer.as_mut().poll(cx).is_ready() {
        // Whoever reads next sees by the clock what has come; this poll must still be the last word to its task.
        cx.waker().wake_by_ref();
    }
}

/// A connection on which nothing of HTTP has arrived yet.
struct Opening {
    deadline: Pin<Box<Sleep>>,
    _guard: Box<dyn Send + Sync>,
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
        this.life.check()?;
        if buffer.remaining() > 0
            && let Some(first) = this.replay.take()
        {
            buffer.put_slice(&[first]);
            return Poll::Ready(Ok(()));
        }
        match Pin::new(&mut this.tls).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                this.opening = None;
                Poll::Ready(read)
            }
            Poll::Pending => {
                this.life.wake_reader(cx)?;
                if let Some(opening) = &mut this.opening
                    && opening.deadline.as_mut().poll(cx).is_ready()
                {
                    return Poll::Ready(Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "no request after attestation",
                    )));
                }
                Poll::Pending
            }
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for AttestedStream<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.life.check()?;
        let written = Pin::new(&mut this.tls).poll_write(cx, data);
        if written.is_pending() {
            this.life.wake_writer(cx)?;
        }
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.life.check()?;
        let written = Pin::new(&mut this.tls).poll_write_vectored(cx, data);
        if written.is_pending() {
            this.life.wake_writer(cx)?;
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.life.check()?;
        let flushed = Pin::new(&mut this.tls).poll_flush(cx);
        if flushed.is_pending() {
            this.life.wake_writer(cx)?;
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}
