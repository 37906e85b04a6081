//! A TLS stream of the hostile peer, as a session of the protocol.

use std::sync::Arc;

use atls_tower::core::ProtocolError;
use atls_tower::core::session::Handshake;
use atls_tower::core::session::Session;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio_rustls::TlsStream;

/// A connection under one identity, with no request spent on it yet: an attacker writes his own software.
pub(super) struct View<'a> {
    tls: &'a TlsStream<DuplexStream>,
    handshake: Handshake,
}

impl<'a> View<'a> {
    pub(super) fn of(
        tls: &'a TlsStream<DuplexStream>,
        identity: Arc<CertifiedKey>,
    ) -> Option<Self> {
        let handshake = match tls {
            TlsStream::Client(stream) => Handshake::client(stream.get_ref().1, Some(identity)),
            TlsStream::Server(stream) => Handshake::server(stream.get_ref().1, identity),
        };
        Some(Self {
            tls,
            handshake: handshake.ok()?,
        })
    }
}

impl Session for View<'_> {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        let exported = match self.tls {
            TlsStream::Client(stream) => {
                let connection = stream.get_ref().1;
                connection.export_keying_material(output, label, Some(context))
            }
            TlsStream::Server(stream) => {
                let connection = stream.get_ref().1;
                connection.export_keying_material(output, label, Some(context))
            }
        };
        exported.map(drop).map_err(|_| ProtocolError::Export)
    }
}

/// Each piece in a write of its own, and the other end's turn after it.
pub(super) async fn write_pieces<W>(mut io: W, bytes: &[u8], piece: usize) -> Option<()>
where
    W: AsyncWrite + Unpin,
{
    for piece in bytes.chunks(piece) {
        io.write_all(piece).await.ok()?;
        io.flush().await.ok()?;
        tokio::task::yield_now().await;
    }
    Some(())
}
