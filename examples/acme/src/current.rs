//! The certificate that is served.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;

/// The service's certificate and key of now. Without one, handshakes fail: before the first certificate nobody is served.
///
/// A connection keeps the key that it began with, in its handshake and in its authenticator. The last of them ends the life of an old key.
#[derive(Debug, Default)]
pub struct Current {
    key: RwLock<Option<Arc<CertifiedKey>>>,
}

impl Current {
    pub(crate) fn replace(&self, key: Arc<CertifiedKey>) {
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some(key);
    }

    /// The certificate of now, end-entity first.
    pub fn key(&self) -> Option<Arc<CertifiedKey>> {
        self.key
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.key()
    }
}
