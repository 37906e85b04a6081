//! The Attester (RFC 9334 §4.1): makes Evidence.

use crate::BoxFuture;
use crate::bound::Bound;
use crate::cmw::Cmw;
use crate::error::AttestError;
use crate::media_type::MediaType;

/// Makes Evidence, or obtains Attestation Results, for one connection.
///
/// Dyn-compatible and free of any runtime; a device that blocks belongs on a thread of its own.
///
/// An implementation must let its Evidence carry [`AttestRequest::bound`] and nothing that a peer chose. A TEE that
/// signs caller-chosen values under the same attestation key, for whatever purpose, makes every relay possible again.
pub trait Attester: Send + Sync {
    /// The media types that [`attest`](Self::attest) may make. A peer that appraises none of them is declined
    /// before the device is asked.
    fn media_types(&self) -> &[MediaType];

    /// Makes the message for this connection: one record, or a collection for several devices.
    ///
    /// # Errors
    /// [`AttestError`]; the peer then gets an empty authenticator and no reason.
    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>>;
}

/// What Evidence has to be about.
///
/// Made by [`Challenge`](crate::Challenge) only, from the live connection: no caller can have a value of its
/// own attested.
#[derive(Clone, Copy, Debug)]
pub struct AttestRequest<'a> {
    pub(crate) bound: &'a Bound,
    pub(crate) leaf_key: &'a [u8],
}

impl<'a> AttestRequest<'a> {
    /// The value that the Evidence must carry, whole, in the way that the platform defines.
    pub fn bound(&self) -> &'a Bound {
        self.bound
    }

    /// DER SubjectPublicKeyInfo of the key that authenticates this end, for formats with a claim for it.
    pub fn leaf_key(&self) -> &'a [u8] {
        self.leaf_key
    }
}
