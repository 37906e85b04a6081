//! The proof that a peer was accepted.

use std::fmt;
use std::ops::Deref;

use crate::policy::Candidate;

/// A peer that was appraised and that the relying party's policy accepted.
///
/// [`RelyingParty::appraise`](crate::RelyingParty::appraise) is its only constructor. A value of this type proves that the
/// peer's authenticator, binding, Evidence and status were all checked. It dereferences to [`Candidate`].
///
/// ```
/// use atls_core::PeerAttestation;
///
/// /// The line that an audit log keeps of a peer.
/// fn record(peer: &PeerAttestation) -> String {
///     let devices = peer.items().len();
///     let until = peer.expires_at().as_secs();
///     format!("{}, bound to the {}, {devices} device(s), until {until}", peer.status(), peer.binding())
/// }
/// ```
pub struct PeerAttestation {
    candidate: Candidate,
}

impl PeerAttestation {
    pub(crate) fn new(candidate: Candidate) -> Self {
        Self { candidate }
    }
}

/// Prints the same as [`Candidate`].
impl fmt::Debug for PeerAttestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PeerAttestation")
            .field(&self.candidate)
            .finish()
    }
}

impl Deref for PeerAttestation {
    type Target = Candidate;

    fn deref(&self) -> &Candidate {
        &self.candidate
    }
}
