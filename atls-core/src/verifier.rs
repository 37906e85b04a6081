//! The Verifier (RFC 9334 §4.1): appraises Evidence.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use pki_types::UnixTime;

use crate::BoxFuture;
use crate::attestation::Binding;
use crate::bound::Bound;
use crate::cmw::Item;
use crate::ear::Ear;
use crate::error::AppraisalError;
use crate::finding;
use crate::finding::Finding;
use crate::limits::MAX_FINDINGS;
use crate::media_type::MediaType;

/// Appraises Evidence, in this process or by asking a service.
///
/// Chosen by media type alone: there is no list of platforms anywhere. The media type is the peer's claim; an
/// implementation must refuse what is not of its format.
pub trait Verifier: Send + Sync {
    /// The media types that this verifier appraises. No two verifiers of one relying party may share one.
    fn media_types(&self) -> &[MediaType];

    /// Whether those are types of Evidence or of Attestation Results. An item labelled as the other is refused.
    fn conveys(&self) -> Conveys {
        Conveys::Evidence
    }

    /// Which policy and reference values are in force: a number that rises whenever they change. Results that were reached
    /// under another number are not used again. A verifier that never changes has no need of it.
    fn generation(&self) -> u64 {
        0
    }

    /// Appraises one item at the given time.
    ///
    /// An implementation must find [`Evidence::bound`] *inside* the signed Evidence, whole and of equal length, and
    /// refuse with [`AppraisalError::NotBound`] otherwise. Where the format also carries the leaf key, its
    /// absence is a refusal, and it goes into [`Appraised::with_attested_key`].
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

    fn conveys(&self) -> Conveys {
        (**self).conveys()
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
pub enum Conveys {
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

    /// The item's octets. Outside of what the platform signs they are malleable: their hash identifies nothing.
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

    /// The 64 octets of report data that must be there *instead of* what the platform makes of
    /// [`bound`](Self::bound): the interoperable RA-TLS certificate fixes that field itself. Platforms whose Evidence
    /// has no such field need not ask; they find no `bound` and refuse.
    pub fn report_data(&self) -> Option<&'a [u8; 64]> {
        self.report_data
    }
}

/// Sizes only: Evidence identifies devices.
impl fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("media_type", self.media_type)
            .field("octets", &self.bytes.len())
            .field("endorsements", &self.endorsements.len())
            .field("bound", self.bound)
            .finish()
    }
}

/// Where Evidence came from, as the verifier that knows the platform says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A device whose keys its maker endorses.
    Device,
    /// Software that anybody can run. Refused unless a policy names it.
    Simulated,
}

/// What a verifier found.
#[derive(Clone)]
pub struct Appraised {
    pub(crate) ear: Ear,
    pub(crate) origin: Origin,
    pub(crate) binding: Binding,
    pub(crate) attested_key: Option<Vec<u8>>,
    pub(crate) claims: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) image: Option<String>,
}

impl Appraised {
    /// A result, and where the Evidence came from; the latter has no default.
    pub fn new(ear: Ear, origin: Origin) -> Self {
        Self {
            ear,
            origin,
            binding: Binding::Connection,
            attested_key: None,
            claims: None,
            findings: Vec::new(),
            image: None,
        }
    }

    /// The DER SubjectPublicKeyInfo that the Evidence itself names. The relying party refuses unless it is the
    /// key that authenticated this connection.
    #[must_use]
    pub fn with_attested_key(mut self, spki: Vec<u8>) -> Self {
        self.attested_key = Some(spki);
        self
    }

    /// Says that what was found does not carry [`Evidence::bound`] and is good for a key alone, such as a result that
    /// its holder presents again and again. The key must be given too; the standard policy refuses such a peer.
    #[must_use]
    pub fn bound_to_key_only(mut self, spki: Vec<u8>) -> Self {
        self.binding = Binding::Key;
        self.with_attested_key(spki)
    }

    /// The platform's own claims, for handlers: [`PeerAttestation::claims`](crate::Candidate::claims).
    #[must_use]
    pub fn with_claims<T: Any + Send + Sync>(mut self, claims: T) -> Self {
        self.claims = Some(Arc::new(claims));
        self
    }

    /// The checks behind the result, for people: what failed shows in the refusal, everything in
    /// [`AppraisedItem::findings`](crate::AppraisedItem::findings). Adds to those that are there; at most [`MAX_FINDINGS`] are
    /// kept, and of more those that failed first.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings.extend(findings);
        if self.findings.len() > MAX_FINDINGS {
            // Stable: of one outcome, the order of the verifier.
            self.findings
                .sort_by_key(|finding| std::cmp::Reverse(finding.outcome()));
            self.findings.truncate(MAX_FINDINGS);
        }
        self
    }

    /// The name that the verifier's policy gives to the software that was recognised, for logs. Bounded and escaped as
    /// the texts of a [`Finding`].
    #[must_use]
    pub fn with_image(mut self, name: impl fmt::Display) -> Self {
        self.image = Some(finding::bounded(name));
        self
    }

    /// The result.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Where the Evidence came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What it is bound to.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// The checks behind the result.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The name of the software that was recognised.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }
}

impl fmt::Debug for Appraised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appraised")
            .field("ear", &self.ear)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
