//! The result of a Verifier about recorded Evidence, which is about no connection.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::appraised::Appraised;
use crate::ear::Ear;
use crate::error::AppraisalError;
use crate::expected::ExpectedValue;
use crate::finding;
use crate::finding::Finding;
use crate::instance_id::InstanceId;
use crate::origin::Origin;

/// The result of a verifier about recorded Evidence. Everything was checked but the connection.
///
/// Each platform's verifier gives one by its method `appraise_recorded(&self, evidence: &[u8], now)`. It serves to try a policy on
/// Evidence out of a file. No [`Verifier`](crate::Verifier) can return it, so it never becomes a
/// [`PeerAttestation`](crate::PeerAttestation) by itself. [`bind`](Self::bind) compares it with a connection; a
/// [`Chain`](crate::combine::chain::Chain) does so by Evidence of the same machine that carries the connection's value.
///
/// ```compile_fail,E0308
/// # use atls_core::{Appraised, RecordedAppraisal};
/// fn accept(recorded: RecordedAppraisal) -> Appraised {
///     recorded
/// }
/// ```
pub struct RecordedAppraisal {
    pub(crate) ear: Ear,
    pub(crate) origin: Origin,
    pub(crate) challenge: Vec<u8>,
    pub(crate) attested_key: Option<Vec<u8>>,
    pub(crate) claims: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) image: Option<String>,
    pub(crate) instances: Vec<InstanceId>,
}

impl RecordedAppraisal {
    /// A result about recorded Evidence. `challenge` is what the Evidence carries in the place of a connection's value.
    pub fn new(ear: Ear, origin: Origin, challenge: impl Into<Vec<u8>>) -> Self {
        Self {
            ear,
            origin,
            challenge: challenge.into(),
            attested_key: None,
            claims: None,
            findings: Vec::new(),
            image: None,
            instances: Vec::new(),
        }
    }

    /// Compares the value of a connection with what the Evidence carries: all of it, in constant time. Gives the result about that
    /// connection, with all that this one has.
    ///
    /// # Errors
    /// [`AppraisalError::NotBound`] where they differ.
    pub fn bind<T: AsRef<[u8]>>(
        self,
        expected: &ExpectedValue<T>,
    ) -> Result<Appraised, AppraisalError> {
        let matched = expected.compare(&self.challenge)?;
        let mut bound = Appraised::bound_to_connection(self.ear, self.origin, matched);
        bound.attested_key = self.attested_key;
        bound.claims = self.claims;
        bound.findings = self.findings;
        bound.image = self.image;
        bound.instances = self.instances;
        Ok(bound)
    }

    /// Sets the key of the peer that the Evidence names, as [`Appraised::with_attested_key`] does.
    #[must_use]
    pub fn with_attested_key(mut self, spki: Option<Vec<u8>>) -> Self {
        self.attested_key = spki;
        self
    }

    /// Sets the platform's own claims.
    #[must_use]
    pub fn with_claims<T: Any + Send + Sync>(mut self, claims: T) -> Self {
        self.claims = Some(Arc::new(claims));
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

    /// Adds checks, as [`Appraised::with_findings`] does.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        finding::add(&mut self.findings, findings);
        self
    }

    /// Sets the name of the software, where it was recognised, as [`Appraised::with_image`] does.
    #[must_use]
    pub fn with_image(mut self, name: Option<impl fmt::Display>) -> Self {
        self.image = name.map(finding::bounded);
        self
    }

    /// Adds the identities of the machine that the Evidence states.
    #[must_use]
    pub fn with_instances(mut self, instances: impl IntoIterator<Item = InstanceId>) -> Self {
        self.instances.extend(instances);
        self
    }

    /// The checks behind the result.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The name of the software that was recognised.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// The identities of the machine that the Evidence states.
    pub fn instances(&self) -> &[InstanceId] {
        &self.instances
    }

    /// The bytes that the Evidence carries in the place of a connection's value. **They were compared with nothing**: a replay
    /// of the Evidence gets the same result.
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// The key of the peer that the Evidence names, in DER. **It was compared with nothing.**
    pub fn attested_key(&self) -> Option<&[u8]> {
        self.attested_key.as_deref()
    }

    /// The platform's claims, if its verifier gives claims of this type.
    pub fn claims<T: Any>(&self) -> Option<&T> {
        self.claims.as_deref()?.downcast_ref()
    }
}

/// Prints result and origin. Claims and challenge identify devices, so it leaves them out.
impl fmt::Debug for RecordedAppraisal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedAppraisal")
            .field("ear", &self.ear)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
