//! One TLS 1.3 connection, as the protocol sees it.
//!
//! A transport implements [`Session`] for its connections. It gives the facts of the [`Handshake`] and the exporter; the modules
//! [`exchange`](crate::exchange) and [`authenticator`](crate::exchange::authenticator) use both and see nothing else of the connection.

mod exporter;
mod handshake;
mod side;
mod tls_facts;

pub use exporter::ExporterSecret;
pub use handshake::Handshake;
pub use side::Side;
pub use tls_facts::NotKnown;
pub use tls_facts::TlsFacts;

use crate::error::ProtocolError;

/// One TLS 1.3 connection: its handshake and its exporter.
///
/// `atls-tower` implements it for a live rustls stream. `atls-reqwest` implements it for an exporter secret that this process
/// captured ([`ExporterSecret`]).
///
/// An implementation must export from the connection that [`Handshake`] describes. Never build one from a secret that another
/// process sent: the protocol would then vouch for a TLS endpoint outside of this trust domain.
pub trait Session: Send {
    /// The facts of the handshake.
    fn handshake(&self) -> &Handshake;

    /// Fills `output` from the exporter secret of this connection (RFC 9846 §7.5). The early exporter secret must not be used.
    ///
    /// # Errors
    /// [`ProtocolError::Export`] where the connection cannot export.
    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError>;
}
