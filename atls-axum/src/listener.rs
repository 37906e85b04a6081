//! Accepts attested connections for `axum::serve`.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use atls_core::limits::DEFAULT_FIRST_BYTE;
use atls_tower::AttestedStream;
use atls_tower::ConnectionLimits;
use atls_tower::ServerAcceptor;
use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::Span;
use tracing::field::Empty;

use crate::accept::accept;
use crate::http2_limits::Http2Limits;
use crate::numbers::Limit;
use crate::numbers::Pending;
use crate::observer::Observer;
use crate::preamble::Preamble;
use crate::refusal::Refusals;

/// A [`Listener`] whose connections have passed TLS and attestation before `axum::serve` sees them.
///
/// A task accepts sockets and makes handshakes beside each other, so a slow or silent client delays no other; the
/// deadlines are those of the acceptor's terms. At most [`DEFAULT_PENDING`](atls_core::limits::DEFAULT_PENDING) connections are between accept and
/// the first request, and at most [`DEFAULT_CONNECTIONS`](atls_core::limits::DEFAULT_CONNECTIONS) are there at all. From then on the connection has [`ConnectionLimits`]. An ordinary HTTPS client where attestation is
/// required gets a `403` that says so, for any request. Dropping the listener, as graceful shutdown does, closes the socket
/// and the handshakes in flight;
/// connections that are already served finish.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_axum::AttestedListener;
/// # use atls_sim::SimAttester;
/// # use atls_tower::{ServerAcceptor, ServerTerms};
/// # use axum::{Router, routing::get};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tls = demo::Authority::new()?.server()?;
/// # let device = SimAttester::generate()?;
/// let terms = ServerTerms::new().attester(Arc::new(device));
/// let listener = AttestedListener::bind("127.0.0.1:0", ServerAcceptor::new(tls, terms)?).await?;
/// println!("listening on port {}", listener.local_addr().port());
/// # assert_ne!(listener.local_addr().port(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AttestedListener {
    ready: mpsc::Receiver<Accepted>,
    local: SocketAddr,
    task: AbortHandle,
    /// `None` for HTTP/1.1 alone.
    http2: Option<Http2Limits>,
}

/// An attested connection that waits to be served.
struct Accepted {
    stream: AttestedStream<TcpStream>,
    remote: SocketAddr,
}

impl AttestedListener {
    pub(crate) fn start(
        listener: TcpListener,
        accepting: Accepting,
        http2: Option<Http2Limits>,
    ) -> io::Result<Self> {
        let local = listener.local_addr()?;
        // The permits bound the connections that wait. The queue is short, because a shutdown loses its content.
        let (sender, ready) = mpsc::channel(1);
        let task = tokio::spawn(accept_connections(listener, accepting, sender)).abort_handle();
        Ok(Self {
            ready,
            local,
            task,
            http2,
        })
    }

    pub(crate) fn http2(&self) -> Option<Http2Limits> {
        self.http2
    }

    /// The address that it listens on: with the port that the system chose, where port 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The next connection that is ready for HTTP.
    pub(crate) async fn next(&mut self) -> (AttestedStream<TcpStream>, SocketAddr) {
        match self.ready.recv().await {
            Some(Accepted { stream, remote }) => (stream, remote),
            // The task ends only with the listener, or with its runtime.
            None => std::future::pending().await,
        }
    }
}

impl Drop for AttestedListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener for AttestedListener {
    type Io = AttestedStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, remote) = self.next().await;
        // `axum::serve` has no way to tell an HTTP/2 client to go elsewhere, so grace would be a time of refusals.
        match stream.alpn_protocol() {
            Some(b"h2") => (stream.without_grace(), remote),
            _ => (stream, remote),
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

/// The inputs of a listener's task.
#[derive(Debug)]
pub(crate) struct Accepting {
    pub(crate) acceptor: ServerAcceptor,
    pub(crate) limits: ConnectionLimits,
    pub(crate) pending: Arc<Semaphore>,
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) preamble: Option<Arc<dyn Preamble>>,
    pub(crate) observer: Option<Observer>,
    pub(crate) _limits_told: [Limit; 2],
}

async fn accept_connections(
    listener: TcpListener,
    accepting: Accepting,
    sender: mpsc::Sender<Accepted>,
) {
    let refusals = Refusals::new();
    // Dropped with this task, and every handshake with it.
    let mut handshakes = JoinSet::new();
    let mut fullness = Fullness::default();
    loop {
        let mut next = pin!(async {
            let permits = Permits::acquire(&accepting, &mut fullness).await;
            (permits, accept(&listener).await)
        });
        let (permits, (mut socket, remote)) = loop {
            tokio::select! {
                next = &mut next => break next,
                // Also while nobody comes: a task that has ended holds its memory until it is looked at.
                Some(_) = handshakes.join_next() => {}
                // The listener was dropped and this task is about to be aborted.
                () = sender.closed() => return,
            }
        };
        let Some(Permits { pending, counted }) = permits else {
            return;
        };
        let pending = Pending::of(pending);
        let (acceptor, limits) = (accepting.acceptor.clone(), accepting.limits);
        let (preamble, observer) = (accepting.preamble.clone(), accepting.observer.clone());
        let (sender, refusals) = (sender.clone(), refusals.clone());
        let (span, peer) = (span(remote), remote);
        let connection = span.clone();
        let handshake = async move {
            // Without it the connection is only slower.
            let _ = socket.set_nodelay(true);
            let remote = match client_of(preamble.as_deref(), &mut socket, remote).await {
                Ok(client) => client,
                Err(error) => {
                    tracing::info!(%error, "what stands before TLS was not read");
                    return;
                }
            };
            if remote != peer {
                record_client(&connection, remote);
            }
            match acceptor.accept_or_refuse(socket).await {
                Ok(stream) => {
                    let stream = stream.with_limits(limits, pending).with_guard(counted);
                    let stream = stream.with_addresses(peer, remote);
                    // The send fails once the listener is gone.
                    let _ = sender.send(Accepted { stream, remote }).await;
                }
                // The failure was traced by the acceptor and concerns this connection alone.
                Err(refused) => {
                    if let Some(observer) = observer {
                        observer.refused(refused.error(), remote);
                    }
                    // Its places are taken until it is answered.
                    if let (_, Some(stream)) = refused.into_parts() {
                        refusals.answer(stream).await;
                    }
                }
            }
        };
        handshakes.spawn(handshake.instrument(span));
    }
}

/// It has addresses, by which machines are told apart, and nothing else: a target of its own lets an operator leave them out. Its level
/// is the highest, so that events of every level have it.
fn span(remote: SocketAddr) -> Span {
    tracing::error_span!(
        target: "atls_axum::connection",
        "connection",
        "network.peer.address" = %remote.ip(),
        "network.peer.port" = remote.port(),
        "client.address" = Empty,
        "client.port" = Empty,
    )
}

/// Where something in front names another client than the peer of the network.
fn record_client(span: &Span, client: SocketAddr) {
    span.record("client.address", tracing::field::display(client.ip()));
    span.record("client.port", client.port());
}

/// The place of one connection among the others.
struct Permits {
    pending: OwnedSemaphorePermit,
    counted: OwnedSemaphorePermit,
}

impl Permits {
    /// `None` is a closed semaphore, and nothing closes these.
    async fn acquire(accepting: &Accepting, fullness: &mut Fullness) -> Option<Self> {
        let connections = accepting.connections.clone();
        let counted = match connections.clone().try_acquire_owned() {
            Ok(counted) => counted,
            Err(_) => {
                fullness.tell();
                connections.acquire_owned().await.ok()?
            }
        };
        let pending = accepting.pending.clone().acquire_owned().await.ok()?;
        Some(Self { pending, counted })
    }
}

/// A listener that has as many connections as it may: whoever set no limit has to hear of it, and not with each connection.
#[derive(Default)]
struct Fullness {
    told_at: Option<Instant>,
}

impl Fullness {
    fn tell(&mut self) {
        if self.told_at.is_none_or(|at| at.elapsed() >= AGAIN) {
            self.told_at = Some(Instant::now());
            tracing::warn!("there are as many connections as the limit allows: further ones wait");
        }
    }
}

/// Until the same is said again.
const AGAIN: Duration = Duration::from_secs(60);

/// Who is at the other end, as what stands before TLS has it.
async fn client_of(
    preamble: Option<&dyn Preamble>,
    socket: &mut TcpStream,
    remote: SocketAddr,
) -> io::Result<SocketAddr> {
    let Some(preamble) = preamble else {
        return Ok(remote);
    };
    let _reading = Reading;
    let read = preamble.read(socket, remote);
    match tokio::time::timeout(DEFAULT_FIRST_BYTE, read).await {
        Ok(read) => read,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Tells that the application's reader panicked. A panic further on is the acceptor's to tell. Either costs its own connection alone.
struct Reading;

impl Drop for Reading {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(
                fault = "local",
                "what stands before TLS was not read: its reader panicked"
            );
        }
    }
}
