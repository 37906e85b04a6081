//! One end of a connection of which only the exporter secret is known.

use std::sync::Arc;

use atls_core::ProtocolError;
use atls_core::pki_types::CertificateDer;
use atls_core::session::ExporterSecret;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::Tls13CipherSuite;
use rustls::sign::CertifiedKey;

/// A session over an exporter secret, without a TLS stream.
pub struct ObservedSession {
    pub handshake: Handshake,
    pub exporter: ExporterSecret,
}

impl ObservedSession {
    pub fn new(
        side: Side,
        suite: &'static Tls13CipherSuite,
        secret: &[u8],
        identity: Option<Arc<CertifiedKey>>,
        peer_chain: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self {
            handshake: Handshake::observed(side, suite, identity, peer_chain).unwrap(),
            exporter: ExporterSecret::new(suite, secret).unwrap(),
        }
    }
}

impl Session for ObservedSession {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        self.exporter.export(label, context, output)
    }
}
