//! A listener with limits of its own.

use std::io;
use std::sync::Arc;

use atls_core::limits::DEFAULT_PENDING;
use atls_tower::ConnectionLimits;
use atls_tower::ServerAcceptor;
use tokio::net::TcpListener;
use tokio::net::ToSocketAddrs;
use tokio::sync::Semaphore;

use crate::listener::Accepting;
use crate::listener::AttestedListener;
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
    connections: Option<usize>,
    preamble: Option<Arc<dyn Preamble>>,
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
            connections: None,
            preamble: None,
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
        self.pending = most;
        self
    }

    /// The most connections at all, those that are served and those that were upgraded included, at least one; by default
    /// as many as the system has file descriptors for. Further ones wait in the backlog of the socket.
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = Some(most);
        self
    }

    /// Reads what stands before TLS on each connection.
    pub fn preamble(mut self, preamble: Arc<dyn Preamble>) -> Self {
        self.preamble = Some(preamble);
        self
    }

    /// Binds a TCP socket.
    ///
    /// # Errors
    /// Those of the socket.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn bind(self, address: impl ToSocketAddrs) -> io::Result<AttestedListener> {
        self.over(TcpListener::bind(address).await?)
    }

    /// Over a socket that is already bound.
    ///
    /// # Errors
    /// Those of the socket.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn over(self, listener: TcpListener) -> io::Result<AttestedListener> {
        let room = |most: usize| Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        let number = |most| f64::from(u32::try_from(most).unwrap_or(u32::MAX));
        metrics::gauge!("atls_pending_connections_limit").set(number(self.pending));
        if let Some(most) = self.connections {
            metrics::gauge!("atls_connections_limit").set(number(most));
        }
        let accepting = Accepting {
            acceptor: self.acceptor,
            limits: self.limits,
            pending: room(self.pending),
            connections: self.connections.map(room),
            preamble: self.preamble,
        };
        AttestedListener::start(listener, accepting)
    }
}
