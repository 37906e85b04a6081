//! A listener with limits of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use atls_core::ConfigError;
use atls_core::limits::DEFAULT_CONNECTIONS;
use atls_core::limits::DEFAULT_PENDING;
use atls_tower::ConnectionLimits;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use tokio::net::TcpListener;
use tokio::net::ToSocketAddrs;
use tokio::sync::Semaphore;

use crate::http2_limits::Http2Limits;
use crate::http2_limits::OF_HTTP1;
use crate::listener::Accepting;
use crate::listener::AttestedListener;
use crate::numbers::Limit;
use crate::observer::Observer;
use crate::preamble::Preamble;

/// Builds an [`AttestedListener`].
///
/// ```
/// # use std::time::Duration;
/// # use atls_axum::AttestedListener;
/// # use atls_tower::{ConnectionLimits, ServerAcceptor};
/// # async fn example(acceptor: ServerAcceptor) -> std::io::Result<()> {
/// let mut limits = ConnectionLimits::default();
/// limits.request_body = Duration::from_secs(300);
/// let listener = AttestedListener::builder(acceptor)
///     .limits(limits)
///     .connections(10_000)
///     .bind("0.0.0.0:8443")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct ListenerBuilder {
    acceptor: ServerAcceptor,
    limits: ConnectionLimits,
    pending: usize,
    connections: Connections,
    /// `None` for HTTP/1.1 alone.
    http2: Option<Http2Limits>,
    preamble: Option<Arc<dyn Preamble>>,
    observer: Option<Observer>,
}

/// How the limit on all connections is said.
#[derive(Clone, Copy, Debug)]
enum Connections {
    Most(usize),
    /// Bytes of memory.
    Within(u64),
}

impl AttestedListener {
    /// Binds a TCP socket.
    ///
    /// # Errors
    /// Those of the socket.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bind(address: impl ToSocketAddrs, acceptor: ServerAcceptor) -> io::Result<Self> {
        Self::new(TcpListener::bind(address).await?, acceptor)
    }

    /// Over a socket that is already bound.
    ///
    /// # Errors
    /// Those of the socket.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new(listener: TcpListener, acceptor: ServerAcceptor) -> io::Result<Self> {
        Self::builder(acceptor).over(listener)
    }

    /// With other limits.
    pub fn builder(acceptor: ServerAcceptor) -> ListenerBuilder {
        ListenerBuilder::new(acceptor)
    }
}

impl ListenerBuilder {
    fn new(acceptor: ServerAcceptor) -> Self {
        Self {
            acceptor,
            limits: ConnectionLimits::default(),
            pending: DEFAULT_PENDING,
            connections: Connections::Most(DEFAULT_CONNECTIONS),
            http2: Some(Http2Limits::default()),
            preamble: None,
            observer: None,
        }
    }

    /// How long a connection may wait for its client, once the exchange is over.
    pub fn limits(mut self, limits: ConnectionLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The most connections between accept and their first request, at least one; by default [`DEFAULT_PENDING`]. Further
    /// ones wait in the backlog of the socket.
    pub fn pending(mut self, most: usize) -> Self {
        self.pending = at_least_one(most);
        self
    }

    /// The most connections at all, those that are served and those that were upgraded included, at least one; by default
    /// [`DEFAULT_CONNECTIONS`]. Further ones wait in the backlog of the socket, and the log says so. In the place of
    /// [`connections_within`](Self::connections_within).
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = Connections::Most(at_least_one(most));
        self
    }

    /// As many connections as go into so many bytes of memory if every one takes the most that it may: those that are pending 256 KiB,
    /// each at all its [`connection_memory`](Http2Limits::connection_memory), or 256 KiB with HTTP/1.1 alone, and 16 MiB for the rest. What the
    /// application keeps for its requests comes on top. In the place of [`connections`](Self::connections).
    ///
    /// It is a bound for a server whose every client is hostile, and far from what honest ones take: 34 kB each while they are idle. It is none
    /// where handlers open tunnels in HTTP/2, see [`connection_memory`](Http2Limits::connection_memory).
    pub fn connections_within(mut self, bytes: u64) -> Self {
        self.connections = Connections::Within(bytes);
        self
    }

    /// What one connection of HTTP/2 may take, under [`serve`](crate::serve); `axum::serve` has hyper's own limits. In the place of
    /// [`http1_alone`](Self::http1_alone).
    pub fn http2(mut self, limits: Http2Limits) -> Self {
        self.http2 = Some(limits);
        self
    }

    /// No HTTP/2, under [`serve`](crate::serve): also for clients that negotiate no protocol and begin with it. Leave `h2` out of the TLS
    /// configuration's `alpn_protocols`. In the place of [`http2`](Self::http2).
    pub fn http1_alone(mut self) -> Self {
        self.http2 = None;
        self
    }

    /// Reads what stands before TLS on each connection.
    pub fn preamble(mut self, preamble: Arc<dyn Preamble>) -> Self {
        self.preamble = Some(preamble);
        self
    }

    /// Calls the function for each connection that was not accepted, after its event: with the reason, and the address of the client. For
    /// an operator's log of [whole accounts](atls_core::Refusal::explain), for example. Keep it short; it holds the answer to that client up.
    pub fn on_refused<F>(mut self, observer: F) -> Self
    where
        F: Fn(&Error, SocketAddr) + Send + Sync + 'static,
    {
        self.observer = Some(Observer::new(observer));
        self
    }

    /// Binds a TCP socket.
    ///
    /// # Errors
    /// Those of the socket, and those of [`over`](Self::over).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bind(self, address: impl ToSocketAddrs) -> io::Result<AttestedListener> {
        self.over(TcpListener::bind(address).await?)
    }

    /// Over a socket that is already bound.
    ///
    /// # Errors
    /// Those of the socket; one of the kind `InvalidInput` around a [`ConfigError`] for [limits](Http2Limits) out of their range, or
    /// [memory](Self::connections_within) in which no connection has room.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn over(self, listener: TcpListener) -> io::Result<AttestedListener> {
        let wrong = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let http2 = self.http2.map(Http2Limits::checked).transpose();
        let http2 = http2.map_err(wrong)?;
        let connections = self.most().map_err(wrong)?;
        let room = |most| Arc::new(Semaphore::new(most));
        let limits_told = [
            Limit::of_pending(self.pending),
            Limit::of_connections(connections),
        ];
        let accepting = Accepting {
            acceptor: self.acceptor,
            limits: self.limits,
            pending: room(self.pending),
            connections: room(connections),
            preamble: self.preamble,
            observer: self.observer,
            _limits_told: limits_told,
        };
        AttestedListener::start(listener, accepting, http2)
    }

    /// The most connections.
    fn most(&self) -> Result<usize, ConfigError> {
        let bytes = match self.connections {
            Connections::Most(most) => return Ok(most),
            Connections::Within(bytes) => bytes,
        };
        let each = self
            .http2
            .map_or(OF_HTTP1, |limits| limits.connection_memory());
        let pending = u64::try_from(self.pending).unwrap_or(u64::MAX);
        let rest = bytes
            .checked_sub(OF_PROCESS)
            .and_then(|rest| rest.checked_sub(pending.saturating_mul(OF_HTTP1)));
        let most = rest.and_then(|rest| rest.checked_div(each)).unwrap_or(0);
        match usize::try_from(most) {
            Ok(0) => Err(ConfigError::Limit(
                "this memory has no room for a connection beside those that are pending; give more, or fewer may be pending",
            )),
            most => Ok(at_least_one(most.unwrap_or(usize::MAX))),
        }
    }
}

/// As many as can be counted.
fn at_least_one(most: usize) -> usize {
    most.clamp(1, Semaphore::MAX_PERMITS)
}

/// Bytes of a server without connections, log and metrics included.
const OF_PROCESS: u64 = 16 * 1024 * 1024;
