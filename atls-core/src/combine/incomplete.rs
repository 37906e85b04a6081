//! Results of which a part is missing.

use std::fmt;
use std::sync::Arc;

use crate::appraised::Appraised;
use crate::ear::Tier;

/// What some verifiers of an [`AllAgree`](crate::combine::AllAgree) found while another could not be asked.
///
/// It is no result. A [`Failover`](crate::combine::Failover) around it asks the next one, and remembers what was found: the whole is at most
/// as good.
#[derive(Clone)]
pub struct IncompleteResults {
    pub(super) worst: Arc<Appraised>,
}

impl IncompleteResults {
    /// The worst status of those that were reached.
    pub fn status(&self) -> Tier {
        self.worst.ear.status()
    }
}

impl From<Appraised> for IncompleteResults {
    fn from(worst: Appraised) -> Self {
        Self {
            worst: Arc::new(worst),
        }
    }
}

/// By what they say.
impl PartialEq for IncompleteResults {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.worst, &other.worst);
        one.ear == other.ear
            && one.origin == other.origin
            && one.binding() == other.binding()
            && one.attested_key == other.attested_key
    }
}

impl Eq for IncompleteResults {}

impl fmt::Debug for IncompleteResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IncompleteResults")
            .field(&self.worst)
            .finish()
    }
}
