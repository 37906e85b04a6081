//! A genuine quote and what the policy says of it; what it is about, nobody looked at.

use std::any::Any;

use atls_core::Appraised;
use atls_core::BoundMatch;
use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::ear::Ear;
use atls_core::finding::Finding;

pub(crate) struct Judged<C> {
    pub(crate) ear: Ear,
    pub(crate) claims: C,
    pub(crate) findings: Vec<Finding>,
    /// The name in the policy of what was recognised.
    pub(crate) known_as: Option<String>,
}

impl<C: Any + Send + Sync> Judged<C> {
    /// About the connection whose value the quote carries.
    pub(crate) fn bound(self, origin: Origin, matched: BoundMatch) -> Appraised {
        let appraised = Appraised::bound_to_connection(self.ear, origin, matched)
            .with_findings(self.findings)
            .with_claims(self.claims);
        match self.known_as {
            Some(name) => appraised.with_image(name),
            None => appraised,
        }
    }

    /// About no connection.
    pub(crate) fn recorded(self, origin: Origin, challenge: [u8; 64]) -> RecordedAppraisal {
        let recorded = RecordedAppraisal::new(self.ear, origin, challenge)
            .with_findings(self.findings)
            .with_claims(self.claims);
        match self.known_as {
            Some(name) => recorded.with_image(name),
            None => recorded,
        }
    }
}
