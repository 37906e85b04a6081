//! Facts of a completed handshake.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use pki_types::CertificateDer;
use rustls::ClientConnection;
use rustls::CommonState;
use rustls::HandshakeKind;
use rustls::ProtocolVersion;
use rustls::ServerConnection;
use rustls::Tls13CipherSuite;
use rustls::sign::CertifiedKey;

use super::side::Side;
use crate::error::ProtocolError;
use crate::limits::MAX_REQUESTS;

/// Facts of a completed, full TLS 1.3 handshake, and the request contexts spent on its connection since.
///
/// One value per connection, made once when the handshake ends: the spent contexts live here, and both
/// directions consult them.
pub struct Handshake {
    side: Side,
    suite: &'static Tls13CipherSuite,
    identity: Option<Arc<CertifiedKey>>,
    peer_chain: Vec<CertificateDer<'static>>,
    spent: SpentContexts,
}

impl Handshake {
    /// The client's view. `identity` is the key of the certificate that this client sent in the handshake, if
    /// it sent one; otherwise a fresh self-signed one if it can attest, otherwise none.
    ///
    /// # Errors
    /// [`ProtocolError::NotFullTls13`] for an incomplete, resumed, or older handshake, or one without a server
    /// certificate.
    pub fn client(
        connection: &ClientConnection,
        identity: Option<Arc<CertifiedKey>>,
    ) -> Result<Self, ProtocolError> {
        Self::live(Side::Client, connection, identity)
    }

    /// The server's view. `identity` is the very object that was used in the handshake.
    ///
    /// # Errors
    /// [`ProtocolError::NotFullTls13`] for an incomplete, resumed, or older handshake.
    pub fn server(
        connection: &ServerConnection,
        identity: Arc<CertifiedKey>,
    ) -> Result<Self, ProtocolError> {
        Self::live(Side::Server, connection, Some(identity))
    }

    /// The view of a connection of this process that was observed through rustls' callbacks and is itself out of
    /// reach: the key log gave the exporter secret (so it is TLS 1.3), the certificate verifier was called (so it is
    /// no resumption).
    ///
    /// # Errors
    /// [`ProtocolError::NotFullTls13`] where a client saw no server certificate.
    pub fn observed(
        side: Side,
        suite: &'static Tls13CipherSuite,
        identity: Option<Arc<CertifiedKey>>,
        peer_chain: Vec<CertificateDer<'static>>,
    ) -> Result<Self, ProtocolError> {
        if side == Side::Client && peer_chain.is_empty() {
            return Err(ProtocolError::NotFullTls13);
        }
        Ok(Self {
            side,
            suite,
            identity,
            peer_chain,
            spent: SpentContexts::default(),
        })
    }

    /// Which end we are.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The negotiated cipher suite: hash, HMAC and HKDF of everything below.
    pub fn suite(&self) -> &'static Tls13CipherSuite {
        self.suite
    }

    /// The key that this end authenticates with.
    pub fn identity(&self) -> Option<&Arc<CertifiedKey>> {
        self.identity.as_ref()
    }

    /// The chain that the peer sent in the handshake, end-entity first; empty for a client without certificate.
    pub fn peer_chain(&self) -> &[CertificateDer<'static>] {
        &self.peer_chain
    }

    pub(crate) fn spent(&self) -> &SpentContexts {
        &self.spent
    }

    fn live<C, D>(
        side: Side,
        connection: &C,
        identity: Option<Arc<CertifiedKey>>,
    ) -> Result<Self, ProtocolError>
    where
        C: Deref<Target = D>,
        D: Deref<Target = CommonState>,
    {
        let state: &CommonState = connection;
        let full = matches!(
            state.handshake_kind(),
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest)
        );
        let tls13 = state.protocol_version() == Some(ProtocolVersion::TLSv1_3);
        let suite = state
            .negotiated_cipher_suite()
            .and_then(|suite| suite.tls13());
        let peer_chain = state.peer_certificates().unwrap_or_default().to_vec();
        match suite {
            Some(suite)
                if full
                    && tls13
                    && !state.is_handshaking()
                    && (side == Side::Server || !peer_chain.is_empty()) =>
            {
                Ok(Self {
                    side,
                    suite,
                    identity,
                    peer_chain,
                    spent: SpentContexts::default(),
                })
            }
            _ => Err(ProtocolError::NotFullTls13),
        }
    }
}

/// No certificates and no contexts: they are personal data, and challenges.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("side", &self.side)
            .field("suite", &self.suite.common.suite)
            .field("has_identity", &self.identity.is_some())
            .field("peer_chain", &self.peer_chain.len())
            .finish_non_exhaustive()
    }
}

/// The contexts that were sent or received on one connection, in either direction (RFC 9261 §4).
///
/// A context is spent when its request is, not when an authenticator is made: what was asked once is never
/// asked again, and a request that mirrors one of ours is recognised.
#[derive(Default)]
pub(crate) struct SpentContexts {
    seen: Mutex<Vec<Box<[u8]>>>,
}

impl SpentContexts {
    pub(crate) fn spend(&self, context: &[u8]) -> Result<(), ProtocolError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.iter().any(|known| **known == *context) {
            return Err(ProtocolError::ContextSpent);
        }
        if seen.len() >= MAX_REQUESTS {
            return Err(ProtocolError::TooManyRequests);
        }
        seen.push(context.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_spent_once() {
        let spent = SpentContexts::default();
        assert_eq!(spent.spend(b"a"), Ok(()));
        assert_eq!(spent.spend(b"b"), Ok(()));
        assert_eq!(spent.spend(b"a"), Err(ProtocolError::ContextSpent));
    }

    #[test]
    fn a_peer_cannot_fill_memory_with_contexts() {
        let spent = SpentContexts::default();
        for n in 0..MAX_REQUESTS {
            spent.spend(&n.to_be_bytes()).unwrap();
        }
        assert_eq!(
            spent.spend(b"one more"),
            Err(ProtocolError::TooManyRequests)
        );
    }
}
