//! The Verifier (RFC 9334 §4.1): appraises Evidence.
//!
//! [`Verifier::appraise`] takes one item of [`Evidence`] with the value that it must carry, and gives an [`Appraised`]. Where it
//! fails there is an [`AppraisalError`] and no result; the relying party refuses the peer.

use std::fmt;
use std::sync::Arc;

use pki_types::UnixTime;

use crate::appraised::Appraised;
use crate::bound::Bound;
use crate::box_future::BoxFuture;
use crate::cmw::Item;
use crate::error::AppraisalError;
use crate::expected::ExpectedValue;
use crate::media_type::MediaType;

/// Appraises Evidence, in this process or by asking a service.
///
/// The relying party chooses a verifier by media type alone; no list names the platforms. The media type is the peer's claim,
/// so an implementation must refuse bytes that are not of its format.
pub trait Verifier: Send + Sync {
    /// The media types that this verifier appraises. No two verifiers of one relying party may share a media type.
    fn media_types(&self) -> &[MediaType];

    /// Tells whether these are media types of Evidence or of Attestation Results. The relying party refuses an item that its
    /// label names as the other kind.
    fn conceptual_message(&self) -> ConceptualMessage {
        ConceptualMessage::Evidence
    }

    /// A number that rises whenever the verifier's policy, reference values, keys or kept collateral change.
    /// [`Cached`](crate::combine::Cached) uses a result again only under the same number. A verifier that never changes keeps
    /// the default.
    fn generation(&self) -> u64 {
        0
    }

    /// Appraises one item at the given time.
    ///
    /// An implementation must find the value of [`Evidence::bound`] *inside* the signed Evidence, in the form that the platform
    /// gives it. [`ExpectedValue::compare`] makes the comparison. It refuses with [`AppraisalError::NotBound`], or gives the
    /// proof that an [`Appraised`] about the connection needs. If the format can carry the leaf key, the implementation must
    /// refuse Evidence without it, and hand the key on by [`Appraised::with_attested_key`].
    ///
    /// # Errors
    /// [`AppraisalError`] where there is no result. Genuine Evidence that is not good enough *has* a result, and its status
    /// says so.
    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>>;
}

impl<V: Verifier + ?Sized> Verifier for Arc<V> {
    fn media_types(&self) -> &[MediaType] {
        (**self).media_types()
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        (**self).conceptual_message()
    }

    fn generation(&self) -> u64 {
        (**self).generation()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        (**self).appraise(evidence, now)
    }
}

/// The kind of conceptual message (RFC 9334 §8) that a verifier appraises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the draft's two models: background check and passport"
)]
pub enum ConceptualMessage {
    /// Attestation Results: the passport model.
    AttestationResults,
    /// Evidence: the background-check model.
    Evidence,
}

/// One item to appraise, and the value that it must carry.
///
/// The relying party makes it. The verifier reads it.
pub struct Evidence<'a> {
    media_type: &'a MediaType,
    bytes: &'a [u8],
    endorsements: &'a [Item<'a>],
    bound: &'a Bound,
    report_data: Option<&'a [u8; 64]>,
}

impl<'a> Evidence<'a> {
    /// One item, for a caller of a [`Verifier`] outside of a [`RelyingParty`](crate::RelyingParty), such as its tests. The
    /// expected value cannot be left out.
    pub fn new(media_type: &'a MediaType, bytes: &'a [u8], bound: &'a Bound) -> Self {
        Self {
            media_type,
            bytes,
            endorsements: &[],
            bound,
            report_data: None,
        }
    }

    pub(crate) fn with_report_data(mut self, report_data: Option<&'a [u8; 64]>) -> Self {
        self.report_data = report_data;
        self
    }

    pub(crate) fn with_endorsements(mut self, endorsements: &'a [Item<'a>]) -> Self {
        self.endorsements = endorsements;
        self
    }

    /// The media type that the peer gave the item. It is one of the verifier's own.
    pub fn media_type(&self) -> &'a MediaType {
        self.media_type
    }

    /// The item's bytes. The platform's signature may cover only a part of them, so their hash identifies nothing.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Endorsements that the peer sent along in the same collection. Trust them no further than their signatures.
    pub fn endorsements(&self) -> &'a [Item<'a>] {
        self.endorsements
    }

    /// The value that the Evidence must carry.
    pub fn bound(&self) -> &'a Bound {
        self.bound
    }

    /// The 64 bytes of report data that the Evidence must carry *instead of* the platform's own form of
    /// [`bound`](Self::bound). An interoperable RA-TLS certificate fixes that field itself. A platform without such a field
    /// ignores this method; it does not find `bound` in the Evidence and refuses.
    pub fn report_data(&self) -> Option<&'a [u8; 64]> {
        self.report_data
    }

    /// The expected value of a field of 64 bytes of report data: [`report_data`](Self::report_data) where the certificate fixes
    /// it, and the SHA-512 of [`bound`](Self::bound) elsewhere.
    pub fn expected_report_data(&self) -> ExpectedValue<[u8; 64]> {
        self.bound.report_data(self.report_data)
    }
}

/// Prints sizes. Evidence identifies devices, so its bytes are left out.
impl fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("media_type", self.media_type)
            .field("bytes", &self.bytes.len())
            .field("endorsements", &self.endorsements.len())
            .field("bound", self.bound)
            .finish()
    }
}
