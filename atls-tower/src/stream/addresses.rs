//! The addresses of a connection's other end.

use std::net::SocketAddr;

use tracing::Span;

/// The addresses of a connection's other end, for the events about its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    network: SocketAddr,
    /// Where something in front names another client than the peer of the network.
    client: Option<SocketAddr>,
}

impl Addresses {
    pub(crate) fn new(network: SocketAddr, client: SocketAddr) -> Self {
        Self {
            network,
            client: Some(client).filter(|client| *client != network),
        }
    }

    /// The span of the addresses, as `AttestedListener` has it around the handshake: of the same target, so that one filter leaves out
    /// both.
    pub(crate) fn span(&self) -> Span {
        tracing::error_span!(
            target: "atls_axum::connection",
            "connection",
            "network.peer.address" = %self.network.ip(),
            "network.peer.port" = self.network.port(),
            "client.address" = self.client.map(|client| tracing::field::display(client.ip())),
            "client.port" = self.client.map(|client| client.port()),
        )
    }
}
