//! A connection of two rustls ends, and exchanges over it.

use std::sync::Arc;

use atls_core::ProtocolError;
use atls_core::exchange::authenticator;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::SentRequest;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use crate::support::Pair;
use crate::support::forge::Forge;
use crate::support::identity;
use crate::support::providers;

pub(crate) const OFFERED: u16 = 0xff77;

/// A request of a client, and what forges a server's answer to it.
pub(crate) struct Case {
    pub(crate) sent: SentRequest,
    pub(crate) forge: Forge,
    pub(crate) server: Arc<CertifiedKey>,
    pub(crate) pair: Arc<Pair>,
}

impl Case {
    pub(crate) fn new() -> Self {
        let provider = providers()[0].clone();
        let server = identity(&provider);
        Self::over(Arc::new(pair_of(&provider, &server)), server)
    }

    fn over(pair: Arc<Pair>, server: Arc<CertifiedKey>) -> Self {
        let sent = ask(&pair.client, &providers()[0]);
        let forge = Forge::new(&pair.server, Side::Server, &server, sent.as_bytes());
        Self {
            sent,
            forge,
            server,
            pair,
        }
    }

    /// Another request on the same connection.
    pub(crate) fn again(&self) -> Self {
        Self::over(self.pair.clone(), self.server.clone())
    }

    pub(crate) fn rejects(self, answer: impl FnOnce(&Forge) -> Vec<u8>, error: ProtocolError) {
        assert_eq!(self.sent.verify(&answer(&self.forge)).unwrap_err(), error);
    }

    pub(crate) fn validates(self, answer: impl FnOnce(&Forge) -> Vec<u8>) -> bool {
        self.sent.verify(&answer(&self.forge)).is_ok()
    }
}

pub(crate) fn pair(provider: &CryptoProvider) -> Pair {
    pair_of(provider, &identity(provider))
}

pub(crate) fn pair_of(provider: &CryptoProvider, server: &Arc<CertifiedKey>) -> Pair {
    Pair::new(provider.clone(), server, Some(identity(provider)))
}

pub(crate) fn ask(asker: &dyn Session, provider: &CryptoProvider) -> SentRequest {
    let extension = Extension {
        code: OFFERED,
        data: Vec::new(),
    };
    authenticator::request(asker, provider, vec![extension]).unwrap()
}

/// The same connection with no context spent yet.
pub(crate) fn fresh<'a, S: Session + Sync>(end: &'a S) -> impl Session + use<'a, S> {
    struct Fresh<'a, S> {
        end: &'a S,
        handshake: Handshake,
    }
    impl<S: Session + Sync> Session for Fresh<'_, S> {
        fn handshake(&self) -> &Handshake {
            &self.handshake
        }
        fn export(
            &self,
            label: &[u8],
            context: &[u8],
            output: &mut [u8],
        ) -> Result<(), ProtocolError> {
            self.end.export(label, context, output)
        }
    }
    let known = end.handshake();
    let handshake = Handshake::observed(
        known.side(),
        known.suite(),
        known.identity().cloned(),
        known.peer_chain().to_vec(),
    );
    Fresh {
        end,
        handshake: handshake.unwrap(),
    }
}
