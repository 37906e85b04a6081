//! The two ends of a link: the rule of a platform, and Evidence that awaits a root to vouch for its key.

use std::fmt;

use crate::recorded_appraisal::RecordedAppraisal;

/// A platform's rule, applied to what the peer sent: a root of trust that carries `challenge`, whole, vouches for this key.
///
/// The platform derives both from the same bytes. It must make sure that `challenge` commits to all of the key, as a digest of
/// a structure does that has the key in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ChainLink {
    pub(super) challenge: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl ChainLink {
    /// A root that carries `challenge` vouches for the key of this DER SubjectPublicKeyInfo.
    pub fn new(challenge: impl Into<Vec<u8>>, spki: impl Into<Vec<u8>>) -> Self {
        Self {
            challenge: challenge.into(),
            key: spki.into(),
        }
    }
}

/// Prints sizes. The key identifies a device.
impl fmt::Debug for ChainLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainLink")
            .field("challenge", &self.challenge.len())
            .field("key", &self.key.len())
            .finish()
    }
}

/// Evidence whose signature verified under a key that the Evidence itself brought. Anybody makes such Evidence: it is worth what a root
/// says of the key.
pub struct SignedAppraisal {
    pub(super) appraisal: RecordedAppraisal,
    pub(super) key: Vec<u8>,
}

impl SignedAppraisal {
    /// The appraisal of Evidence, whose [challenge](RecordedAppraisal::challenge) is what it carries as the connection's value, and the DER
    /// SubjectPublicKeyInfo of the key under which its signature **was verified**.
    pub fn new(appraisal: RecordedAppraisal, spki: impl Into<Vec<u8>>) -> Self {
        Self {
            appraisal,
            key: spki.into(),
        }
    }

    /// The appraisal. It is about a key that anybody may have.
    pub fn appraisal(&self) -> &RecordedAppraisal {
        &self.appraisal
    }
}

impl fmt::Debug for SignedAppraisal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedAppraisal")
            .field("appraisal", &self.appraisal)
            .finish_non_exhaustive()
    }
}
