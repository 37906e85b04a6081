//! The result of an exchange.

use std::sync::Arc;
use std::time::Duration;

use atls_core::PeerAttestation;

/// The result of an exchange.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// The peer, if it attested.
    pub(crate) peer: Option<Arc<PeerAttestation>>,
    /// How long the peer holds this end's own attestation to be valid, if it said so.
    pub(crate) own_valid_for: Option<Duration>,
}
