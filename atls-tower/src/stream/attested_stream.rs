//! A TLS stream whose peer was appraised, ready for HTTP.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_core::pki_types::UnixTime;
use atls_core::session::Side;
use rustls::CommonState;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tokio_rustls::TlsStream;

use super::addresses::Addresses;
use super::connection_limits::ConnectionLimits;
use super::lifetime::Expiry;
use super::lifetime::Grace;
use super::lifetime::Lifetime;
use super::live::Live;
use super::requests::Requests;
use super::timers::Timers;
use crate::driver::Accepted;
use crate::driver::Exchanged;
use crate::error::Error;
use crate::layer::AttestationLayer;
use crate::layer::Client;
use crate::layer::ClientDemand;
use crate::metrics::LiveConnection;
use crate::tls::Rewind;

/// A TLS stream past its exchange of authenticators. One type for both ends.
///
/// It has a [`Lifetime`]: shortly before its attestation expires it should take no further requests, and shortly after, its
/// reads and writes fail for every protocol above it: HTTP, a WebSocket, a gRPC stream. The end is fixed at the appraisal; a
/// clock that is set back puts nothing off, and one that is set forward beyond it ends the stream after the grace.
/// A shutdown ends within [`MAX_CLOSING`](atls_core::limits::MAX_CLOSING), even if the peer reads nothing.
pub struct AttestedStream<IO> {
    tls: Rewind<IO>,
    peer: Option<Accepted>,
    /// Seconds from `began_at`, as the peer said.
    own_valid_for: Option<u32>,
    began_at: UnixTime,
    conditions: Arc<Conditions>,
    timers: Timers,
    /// `None` where nobody told them.
    addresses: Option<Addresses>,
    _live: LiveConnection,
    /// Held as long as the stream, such as a permit among all connections.
    _held: Option<Box<dyn Send + Sync>>,
}

/// The conditions of all streams of one acceptor or connector.
#[derive(Debug)]
pub(crate) struct Conditions {
    pub(crate) clock: Arc<dyn TimeProvider>,
    /// Of a server on its clients, for its layer.
    pub(crate) demand: ClientDemand,
    pub(crate) live: Arc<Live>,
}

impl<IO> AttestedStream<IO> {
    pub(crate) fn new(
        tls: Rewind<IO>,
        exchanged: Exchanged,
        conditions: Arc<Conditions>,
    ) -> Result<Self, Error> {
        let Exchanged {
            peer,
            own_valid_for,
        } = exchanged;
        let now = conditions
            .clock
            .current_time()
            .ok_or(atls_core::Refusal::Expired(atls_core::Fault::Local))?;
        let of_peer = peer.as_ref().map(|peer| (peer.since, peer.valid_for));
        // The peer's verdict on this end's attestation can end the connection earlier, and has no other effect.
        let own = own_valid_for.map(|valid_for| (Instant::now(), valid_for));
        let expiry = Expiry::of([of_peer, own].into_iter().flatten());
        let by_clock = [
            peer.as_ref()
                .map(|accepted| accepted.peer.expires_at().as_secs()),
            own_valid_for.and_then(|own| now.as_secs().checked_add(own.as_secs())),
        ];
        let expires_at = by_clock.into_iter().flatten().min();
        let side = match &*tls.tls {
            TlsStream::Client(_) => Side::Client,
            TlsStream::Server(_) => Side::Server,
        };
        let binding = peer.as_ref().map(|accepted| accepted.peer.binding());
        Ok(Self {
            tls,
            peer,
            own_valid_for: own_valid_for.map(seconds),
            began_at: now,
            conditions,
            timers: Timers::new(expiry),
            addresses: None,
            _live: LiveConnection::new(side, binding, expires_at),
            _held: None,
        })
    }

    /// Makes the stream fail when its client keeps a server waiting for longer than the limits allow. `pending`, such
    /// as a permit among pending connections, is dropped when the first request arrives.
    ///
    /// The services of the connection must report their requests to [`requests`](Self::requests). A stream without a
    /// reported request fails when [`ConnectionLimits::first_request`] has passed, and one whose `requests` nobody took
    /// fails at the first read. The services of `atls-axum` report.
    #[must_use]
    pub fn with_limits<G>(mut self, limits: ConnectionLimits, pending: G) -> Self
    where
        G: Send + 'static,
    {
        let live = self.conditions.live.clone();
        self.timers.requests = Some(Requests::new(
            limits,
            Box::new(pending),
            live,
            self.timers.early.clone(),
        ));
        self
    }

    /// Tells the addresses of the other end, so that an event about a request names its client: that of the network's peer, and that of the
    /// client, which is another one behind a load balancer. `AttestedListener` of `atls-axum` does.
    #[must_use]
    pub fn with_addresses(mut self, network: SocketAddr, client: SocketAddr) -> Self {
        self.addresses = Some(Addresses::new(network, client));
        self
    }

    /// Holds a value for as long as the stream lives, such as a permit among all connections.
    #[must_use]
    pub fn with_guard<G>(mut self, held: G) -> Self
    where
        G: Send + Sync + 'static,
    {
        self._held = Some(Box::new(held));
        self
    }

    /// The requests of this connection, for the services to report; `None` unless the stream is
    /// [limited](Self::with_limits).
    pub fn requests(&self) -> Option<&Requests> {
        self.timers.requests.as_ref().map(Requests::given)
    }

    /// Ends the stream when its attestation expires, without grace: for servers that cannot send GOAWAY to an HTTP/2 client.
    #[must_use]
    pub fn without_grace(mut self) -> Self {
        self.timers.expiry.grace = Grace::None;
        self
    }

    /// The verified attestation of the peer; `None` where it was not asked to attest, or may go without.
    pub fn peer(&self) -> Option<&Arc<PeerAttestation>> {
        self.peer.as_ref().map(|accepted| &accepted.peer)
    }

    /// How long the peer holds this end's own attestation to be valid, if it said so. Advisory.
    pub fn own_valid_for(&self) -> Option<Duration> {
        let seconds = self.own_valid_for?;
        Some(Duration::from_secs(seconds.into()))
    }

    /// When it drains and ends: with the attestation of the peer, or with this end's own by the peer's verdict. A server makes
    /// the stream [limited](Self::with_limits) first: others cannot be recalled.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime::new(
            self.timers.expiry,
            self.timers.early.clone(),
            self.timers.requests.clone(),
        )
    }

    /// The layer that gives the services of this connection the attestation of its peer.
    pub fn layer(&self) -> AttestationLayer {
        let client = Client {
            peer: self.peer().cloned(),
            ends_at: self.peer.as_ref().and_then(Accepted::expires_at),
            clock: self.conditions.clock.clone(),
            lifetime: self.lifetime(),
        };
        AttestationLayer::new(client, self.own_expires_at(), self.conditions.demand)
            .with_addresses(self.addresses)
    }

    fn own_expires_at(&self) -> Option<UnixTime> {
        let end = self
            .began_at
            .as_secs()
            .checked_add(self.own_valid_for?.into())?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(end)))
    }

    /// The timers count from the moment of the appraisal. A clock that is further was set forward, or ran while the machine slept.
    fn has_expired_by_clock(&self) -> bool {
        let peer = self.peer().map(|peer| peer.expires_at());
        let ends = [peer, self.own_expires_at()];
        if ends.iter().all(Option::is_none) {
            return false;
        }
        let now = self.conditions.clock.current_time();
        let [peer, own] = ends.map(|end| end.zip(now).is_some_and(|(end, now)| now >= end));
        if peer {
            self.timers.early.see_peer();
        }
        peer || own
    }

    fn look_at_clock(&mut self, now: Instant) {
        if !self.timers.expiry.has_passed(now) && self.has_expired_by_clock() {
            self.timers.expire(now);
        }
    }

    /// The protocol agreed by ALPN.
    pub fn alpn_protocol(&self) -> Option<&[u8]> {
        self.tls.tls.get_ref().1.alpn_protocol()
    }

    /// The transport, and the TLS connection on it.
    pub fn get_ref(&self) -> (&IO, &CommonState) {
        self.tls.tls.get_ref()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AttestedStream<IO> {
    /// Fails if an end has come. A connection that waits for a request ends with `close_notify`. One that sends an answer
    /// ends without: the client must see that the answer was cut short.
    fn check(&mut self, now: Instant, cx: &mut Context<'_>) -> io::Result<()> {
        self.look_at_clock(now);
        let checked = self.timers.check(now);
        if checked.is_err() && self.timers.awaits_request() {
            let _ = Pin::new(&mut self.tls).poll_shutdown(cx);
        }
        checked
    }

    /// TLS takes some bytes even where the transport takes none.
    fn after_write(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) if self.tls.tls.get_ref().1.wants_write() => {
                self.timers.kept(bytes, cx)?;
            }
            Poll::Ready(_) => self.timers.written(),
            Poll::Pending => self.timers.wait_to_write(cx)?,
        }
        written
    }
}

impl<IO> fmt::Debug for AttestedStream<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestedStream")
            .field("peer", &self.peer())
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
        // One reading of the clock serves the whole poll: a timer that is due wakes the task once more.
        let now = Instant::now();
        this.check(now, cx)?;
        match Pin::new(&mut this.tls).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                this.timers.moved();
                Poll::Ready(read)
            }
            Poll::Pending => {
                this.timers.wait_to_read(now, cx);
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
        this.check(Instant::now(), cx)?;
        let written = Pin::new(&mut this.tls).poll_write(cx, data);
        this.after_write(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check(Instant::now(), cx)?;
        let written = Pin::new(&mut this.tls).poll_write_vectored(cx, data);
        this.after_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Flushed bytes passed the check when they were written. A flush that waits is checked below.
        let flushed = Pin::new(&mut this.tls).poll_flush(cx);
        match flushed {
            Poll::Ready(_) => this.timers.written(),
            Poll::Pending => {
                this.look_at_clock(Instant::now());
                this.timers.wait_to_write(cx)?;
            }
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // What was cut must not look complete, whatever is above this stream makes of its error.
        if !this.timers.awaits_request() {
            this.timers.check(Instant::now())?;
        }
        let closed = Pin::new(&mut this.tls).poll_shutdown(cx);
        if closed.is_pending() {
            this.timers.wait_to_close(cx)?;
        }
        closed
    }
}

/// The wire has no more.
fn seconds(valid_for: Duration) -> u32 {
    u32::try_from(valid_for.as_secs()).unwrap_or(u32::MAX)
}
