//! The Verifier (RFC 9334 §4.1): appraises Evidence.

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
/// Chosen by media type alone: there is no list of platforms anywhere. The media type is the peer's claim; an
/// implementation must refuse what is not of its format.
pub trait Verifier: Send + Sync {
    /// The media types that this verifier appraises. No two verifiers of one relying party may share one.
    fn media_types(&self) -> &[MediaType];

    /// Whether those are types of Evidence or of Attestation Results. An item labelled as the other is refused.
    fn conceptual_message(&self) -> ConceptualMessage {
        ConceptualMessage::Evidence
    }

    /// Which policy and reference values are in force: a number that rises whenever they change. Results that were reached
    /// under another number are not used again. A verifier that never changes has no need of it.
    fn generation(&self) -> u64 {
        0
    }

    /// Appraises one item at the given time.
    ///
    /// An implementation must find the value of [`Evidence::bound`] *inside* the signed Evidence, in the form that the platform
    /// gives it: [`ExpectedValue::compare`] refuses with [`AppraisalError::NotBound`], and gives the proof without which there is
    /// no [`Appraised`] about the connection. Where the format also carries the leaf key, its absence is a refusal, and it
    /// goes into [`Appraised::with_attested_key`].
    ///
    /// # Errors
    /// [`AppraisalError`]: no result. Evidence that is genuine but not good enough is a *result*, with a status that
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

/// What kind of conceptual message a verifier takes.
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
pub struct Evidence<'a> {
    media_type: &'a MediaType,
    bytes: &'a [u8],
    endorsements: &'a [Item<'a>],
    bound: &'a Bound,
    report_data: Option<&'a [u8; 64]>,
}

impl<'a> Evidence<'a> {
    /// For a caller of a [`Verifier`] outside of a [`RelyingParty`](crate::RelyingParty), such as its tests. There
    /// is no way to leave out the expected value.
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

    /// The media type that the peer gave it, one of the verifier's own.
    pub fn media_type(&self) -> &'a MediaType {
        self.media_type
    }

    /// The item's bytes. Outside of what the platform signs they are malleable: their hash identifies nothing.
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

    /// The 64 bytes of report data that must be there *instead of* what the platform makes of
    /// [`bound`](Self::bound): the interoperable RA-TLS certificate fixes that field itself. Platforms whose Evidence
    /// has no such field need not ask; they find no `bound` and refuse.
    pub fn report_data(&self) -> Option<&'a [u8; 64]> {
        self.report_data
    }

    /// For platforms with 64 bytes of report data: what they must be. It is [`report_data`](Self::report_data) where the
    /// carriage fixes it, and SHA-512 of [`bound`](Self::bound) elsewhere.
    pub fn expected_report_data(&self) -> ExpectedValue<[u8; 64]> {
        self.bound.report_data(self.report_data)
    }
}

/// Sizes only: Evidence identifies devices.
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
