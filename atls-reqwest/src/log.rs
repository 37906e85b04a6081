//! The results by which connections were accepted.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use atls_core::PeerAttestation;
use lru::LruCache;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use tokio::time::Instant;

/// The connections of the clients of one configuration, by their addresses: all that reqwest tells of a connection
/// both when it is made and in a response.
///
/// It enforces nothing: only accepted connections exist. Their ends cannot be observed, so the oldest are forgotten, and a
/// connection that is not known is an error.
pub(crate) struct AttestationLog {
    connections: Mutex<LruCache<(SocketAddr, SocketAddr), Entry>>,
}

/// One accepted connection.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) peer: Arc<PeerAttestation>,
    /// The end of its attestation, however the clock is set; `None` for a time too far to be represented.
    pub(crate) ends_at: Option<Instant>,
    /// The name that the server's certificate was verified for.
    pub(crate) server: ServerName<'static>,
    /// The server's certificate, where reqwest shows it in responses.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

impl AttestationLog {
    pub(crate) fn new() -> Self {
        Self {
            connections: Mutex::new(LruCache::new(CAPACITY)),
        }
    }

    /// A connection with the addresses of an earlier one takes its place.
    pub(crate) fn note(&self, addresses: (SocketAddr, SocketAddr), entry: Entry) {
        self.lock().put(addresses, entry);
    }

    /// The connection with these addresses is one of which nothing is known.
    pub(crate) fn forget(&self, addresses: (SocketAddr, SocketAddr)) {
        self.lock().pop(&addresses);
    }

    /// The attestation of this connection was seen to expire by the clock, which may be set back.
    pub(crate) fn expire(&self, addresses: (SocketAddr, SocketAddr), peer: &Arc<PeerAttestation>) {
        if let Some(entry) = self.lock().peek_mut(&addresses)
            && Arc::ptr_eq(&entry.peer, peer)
        {
            entry.ends_at = Some(Instant::now());
        }
    }

    pub(crate) fn find(&self, addresses: (SocketAddr, SocketAddr)) -> Option<Entry> {
        self.lock().get(&addresses).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<(SocketAddr, SocketAddr), Entry>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AttestationLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestationLog")
            .field("connections", &self.lock().len())
            .finish()
    }
}

/// Connections; a few hundred bytes each.
const CAPACITY: NonZeroUsize = match NonZeroUsize::new(8192) {
    Some(capacity) => capacity,
    None => NonZeroUsize::MIN,
};
