//! The result of an exchange.

use std::sync::Arc;
use std::time::Duration;

use atls_core::PeerAttestation;
use tokio::time::Instant;

/// The result of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// The peer, if it attested.
    pub(crate) peer: Option<Accepted>,
    /// How long the peer holds this end's own attestation to be valid, if it said so.
    pub(crate) own_valid_for: Option<Duration>,
}

/// A peer that was accepted. Its end is fixed when its clock is read: a clock that is set back later puts nothing off.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) peer: Arc<PeerAttestation>,
    pub(crate) valid_for: Duration,
    /// The moment from which `valid_for` counts.
    pub(crate) since: Instant,
}

impl Accepted {
    /// A time too far to be represented is none.
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        self.since.checked_add(self.valid_for)
    }
}
