//! The facts of a completed handshake.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use pki_types::CertificateDer;
use rustls::CipherSuite;
use rustls::ClientConnection;
use rustls::CommonState;
use rustls::HandshakeKind;
use rustls::NamedGroup;
use rustls::ProtocolVersion;
use rustls::ServerConnection;
use rustls::Tls13CipherSuite;
use rustls::sign::CertifiedKey;

use super::side::Side;
use super::tls_facts::NotKnown;
use super::tls_facts::TlsFacts;
use crate::error::ProtocolError;
use crate::limits::MAX_REQUESTS;

/// The facts of a completed, full TLS 1.3 handshake, and the request contexts that were spent on its connection since.
///
/// Make one value for each connection, when its handshake ends. Both directions look up the spent contexts in it.
pub struct Handshake {
    side: Side,
    suite: &'static Tls13CipherSuite,
    tls: TlsFacts,
    identity: Option<Arc<CertifiedKey>>,
    peer_chain: Vec<CertificateDer<'static>>,
    spent: SpentContexts,
}

impl Handshake {
    /// The client's view. `identity` is the key of the certificate that this client sent in the handshake. A client that sent
    /// none uses a fresh self-signed one if it can attest, and otherwise none.
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

    /// The view of a connection of this process that is known through rustls' callbacks only. The key log gave the exporter
    /// secret, so it is TLS 1.3. The certificate verifier was called, so it is no resumption.
    ///
    /// `suite` has the hash of the connection and need not be the one that was negotiated. Suite and group are not
    /// [known](TlsFacts) unless the caller knows them: [`with_suite`](Self::with_suite), [`with_group`](Self::with_group).
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
            tls: TlsFacts::NOTHING,
            identity,
            peer_chain,
            spent: SpentContexts::default(),
        })
    }

    /// The same handshake, of which the caller knows the negotiated suite: because the configuration leaves no other.
    #[must_use]
    pub fn with_suite(mut self, suite: CipherSuite) -> Self {
        self.tls.suite = Ok(suite);
        self
    }

    /// The same handshake, of which the caller knows the group: because the configuration leaves no other.
    #[must_use]
    pub fn with_group(mut self, group: NamedGroup) -> Self {
        self.tls.group = Ok(group);
        self
    }

    /// The side of this end.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The negotiated cipher suite. Its hash, HMAC and HKDF are those of the authenticators.
    pub fn suite(&self) -> &'static Tls13CipherSuite {
        self.suite
    }

    /// What is known of the connection. The scheme of the peer's key is known once it has sent an authenticator.
    pub fn tls(&self) -> TlsFacts {
        self.tls
    }

    /// The certified key by which this end authenticates.
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
        let group = state.negotiated_key_exchange_group();
        let group = group.map(|group| group.name());
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
                    tls: TlsFacts {
                        suite: Ok(suite.common.suite),
                        group: group.ok_or(NotKnown::StreamOutOfReach),
                        leaf_scheme: Err(NotKnown::NoAuthenticator),
                    },
                    identity,
                    peer_chain,
                    spent: SpentContexts::default(),
                })
            }
            _ => Err(ProtocolError::NotFullTls13),
        }
    }
}

/// Prints side, suite and sizes. Certificates are personal data and contexts are challenges, so it leaves them out.
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
/// A context is spent when its request is sent or received. So no request is made twice, and a request that mirrors one of
/// this end is recognised.
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
