//! The two roles in a chain, which platforms implement and an application puts together.

use std::fmt;
use std::sync::Arc;

use pki_types::UnixTime;

use crate::bound::Bound;
use crate::box_future::BoxFuture;
use crate::cmw::Item;
use crate::combine::chain::SignedAppraisal;
use crate::error::AppraisalError;
use crate::expected::ExpectedValue;
use crate::media_type::MediaType;
use crate::recorded_appraisal::RecordedAppraisal;
use crate::verifier::Verifier;

/// A verifier of a root of trust, whose Evidence may carry something else than the value of a connection.
pub trait UnboundVerifier: Verifier {
    /// Appraises as [`Verifier::appraise`] does, **but for the binding**: the result has what the signed Evidence carries as its
    /// [challenge](RecordedAppraisal::challenge), whole, and compares it with nothing. Only a [`Chain`](crate::combine::chain::Chain) makes a result
    /// about a peer of it.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    fn appraise_unbound<'a>(
        &'a self,
        evidence: &'a UnboundEvidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<RecordedAppraisal, AppraisalError>>;
}

/// A verifier of Evidence under a key that the Evidence itself brings, and for which another item of the message vouches.
pub trait SignedVerifier: Send + Sync {
    /// The media types that this verifier appraises.
    fn media_types(&self) -> &[MediaType];

    /// The same as [`Verifier::generation`].
    fn generation(&self) -> u64 {
        0
    }

    /// The form in which such Evidence carries the value of a connection.
    fn expected_value(&self, bound: &Bound) -> ExpectedValue;

    /// Verifies the signature under the Evidence's own key and applies the policy. The result names that key.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    fn appraise_signed<'a>(
        &'a self,
        evidence: &'a UnboundEvidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<SignedAppraisal, AppraisalError>>;
}

impl<V: UnboundVerifier + ?Sized> UnboundVerifier for Arc<V> {
    fn appraise_unbound<'a>(
        &'a self,
        evidence: &'a UnboundEvidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<RecordedAppraisal, AppraisalError>> {
        (**self).appraise_unbound(evidence, now)
    }
}

/// One item of a message, for a verifier that does not compare it with a connection.
pub struct UnboundEvidence<'a> {
    media_type: &'a MediaType,
    bytes: &'a [u8],
    endorsements: &'a [Item<'a>],
}

impl<'a> UnboundEvidence<'a> {
    /// One item.
    pub fn new(media_type: &'a MediaType, bytes: &'a [u8]) -> Self {
        Self {
            media_type,
            bytes,
            endorsements: &[],
        }
    }

    /// Adds the Endorsements that the peer sent along.
    #[must_use]
    pub fn with_endorsements(mut self, endorsements: &'a [Item<'a>]) -> Self {
        self.endorsements = endorsements;
        self
    }

    /// The media type that the peer gave the item. It is one of the verifier's own.
    pub fn media_type(&self) -> &'a MediaType {
        self.media_type
    }

    /// The item's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Endorsements that the peer sent along. Trust them no further than their signatures.
    pub fn endorsements(&self) -> &'a [Item<'a>] {
        self.endorsements
    }
}

/// Prints sizes. Evidence identifies devices, so its bytes are left out.
impl fmt::Debug for UnboundEvidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundEvidence")
            .field("media_type", self.media_type)
            .field("bytes", &self.bytes.len())
            .field("endorsements", &self.endorsements.len())
            .finish()
    }
}
