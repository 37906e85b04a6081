//! Formats of Evidence, as a verifier that asks a service sees them.

use std::fmt;

use atls_core::Bound;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::expected::ExpectedValue;

use crate::failure::Failure;
use crate::service::RemoteService;

/// One format of Evidence that the service `S` appraises.
///
/// A service may affirm replayed Evidence and echo any nonce. The [`RemoteVerifier`](crate::RemoteVerifier) therefore compares
/// by itself: a format gives the value that the Evidence must carry and the value that it carries, and has no way around the
/// comparison.
pub trait EvidenceFormat<S: RemoteService>: Send + Sync {
    /// The media type, as the peer labels the Evidence.
    fn media_type(&self) -> &str;

    /// The terms of the service for this format: its name, and the claims that results about it must have.
    fn terms(&self) -> S::Terms;

    /// The value that Evidence of this format carries for a connection: [`Bound::sha512`] where the field has 64 bytes,
    /// [`Bound::verbatim`] where it takes the length of the value.
    fn expected_value(&self, bound: &Bound) -> ExpectedValue;

    /// Reads the Evidence. The value that it carries must stand there once, in bytes under the signature of the Evidence; the
    /// service verifies that signature.
    ///
    /// The bytes are hostile. Unsigned framing is refused unless every reader reads it alike: no unknown or repeated names, and
    /// nothing after its end. Make the content for the service from the parsed values, because two parsers may read one text
    /// differently.
    ///
    /// # Errors
    /// [`Failure`] where the Evidence carries no value, or lacks what the service needs. Errors of the formats become one by `?`, with
    /// the part at fault as its cause.
    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading<S::Content>, Failure>;
}

/// The reading of one piece of Evidence: the value of a connection that it carries, its origin, the content for the service,
/// and an appraisal made on the way.
#[derive(Clone, PartialEq)]
pub struct EvidenceReading<C = ()> {
    pub(crate) carried: Vec<u8>,
    pub(crate) origin: Origin,
    pub(crate) content: C,
    pub(crate) local_appraisal: Option<Appraisal>,
}

impl EvidenceReading {
    /// A reading whose Evidence the service takes as it is. `carried` is compared with the value of the connection.
    pub fn new(carried: impl Into<Vec<u8>>, origin: Origin) -> Self {
        Self {
            carried: carried.into(),
            origin,
            content: (),
            local_appraisal: None,
        }
    }
}

impl<C> EvidenceReading<C> {
    /// Adds the Evidence in the form that the service takes.
    #[must_use]
    pub fn with_content<D>(self, content: D) -> EvidenceReading<D> {
        EvidenceReading {
            carried: self.carried,
            origin: self.origin,
            content,
            local_appraisal: self.local_appraisal,
        }
    }

    /// Adds an appraisal of claims that the service is known to overlook. It becomes the part `local` of the result, and can
    /// only make it worse.
    #[must_use]
    pub fn with_local_appraisal(mut self, appraisal: Appraisal) -> Self {
        self.local_appraisal = Some(appraisal);
        self
    }

    /// The value of a connection that the Evidence carries.
    pub fn carried(&self) -> &[u8] {
        &self.carried
    }

    /// The origin, a device or a simulator, as the Evidence states it.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The content for the service.
    pub fn content(&self) -> &C {
        &self.content
    }

    /// The appraisal that was made here.
    pub fn local_appraisal(&self) -> Option<&Appraisal> {
        self.local_appraisal.as_ref()
    }
}

/// The value and the content stay out: they identify devices.
impl<C> fmt::Debug for EvidenceReading<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvidenceReading")
            .field("origin", &self.origin)
            .field("local_appraisal", &self.local_appraisal)
            .finish_non_exhaustive()
    }
}
