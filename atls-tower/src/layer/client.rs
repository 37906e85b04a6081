//! The client of a connection, and whether its attestation is good now.

use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_core::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use tokio::time::Instant;

use super::problem::Problem;
use crate::stream::Lifetime;

/// The client of a connection.
///
/// It is asked whenever somebody wants the attestation, and not once for a request: a request may wait in a queue, or behind a body that
/// its client sends slowly, while the attestation ends.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) peer: Option<Arc<PeerAttestation>>,
    /// The end of the peer's attestation, however the clock is set.
    pub(crate) ends_at: Option<Instant>,
    pub(crate) clock: Arc<dyn TimeProvider>,
    pub(crate) lifetime: Lifetime,
}

impl Client {
    /// The attestation, where it is good now.
    ///
    /// # Errors
    /// [`Problem::Required`] for a client without, [`Problem::Expired`] for one whose attestation has ended.
    pub(super) fn attestation(&self) -> Result<&Arc<PeerAttestation>, Problem> {
        match self.peer {
            None => Err(Problem::Required),
            Some(_) => self.attestation_at(self.clock.current_time()),
        }
    }

    /// The same for whoever has read the clock.
    pub(super) fn attestation_at(
        &self,
        now: Option<UnixTime>,
    ) -> Result<&Arc<PeerAttestation>, Problem> {
        let peer = self.peer.as_ref().ok_or(Problem::Required)?;
        // Without time nothing can be shown to be unexpired.
        if now.is_none_or(|now| peer.is_expired(now)) {
            self.lifetime.expire_peer();
        }
        let by_timer = || self.ends_at.is_some_and(|end| Instant::now() >= end);
        if self.lifetime.has_peer_expired() || by_timer() {
            return Err(Problem::Expired);
        }
        Ok(peer)
    }

    /// Whether both are of one connection, or of clients of which nothing is known.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.peer, &other.peer) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}
