//! One TLS 1.3 connection, as the protocol sees it.

mod exporter;
mod handshake;
mod side;

pub use exporter::ExporterSecret;
pub use handshake::Handshake;
pub use side::Side;

use crate::error::ProtocolError;

/// What the protocol needs of one TLS 1.3 connection.
///
/// Implemented by whoever holds the connection: a live rustls stream (the drivers in `atls-tower`), or an
/// exporter secret captured in this process ([`ExporterSecret`]). Nothing above knows which.
///
/// An implementation must export from the connection that [`Handshake`] describes. Never build one from a
/// secret that another process sent: the protocol would then vouch for a TLS endpoint outside this trust domain.
pub trait Session: Send {
    /// What was settled by the handshake.
    fn handshake(&self) -> &Handshake;

    /// RFC 9846 §7.5: fills `output` from the exporter secret of this connection, never the early one.
    ///
    /// # Errors
    /// [`ProtocolError::Export`] where the connection cannot export.
    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError>;
}
