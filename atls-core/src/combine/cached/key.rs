//! What a result is kept under.

use std::hash::Hash;
use std::hash::Hasher;

use crate::bound::Bound;
use crate::cmw::Indicator;
use crate::cmw::Type;
use crate::media_type::MediaType;
use crate::verifier::Evidence;

/// All that a verifier sees, and the generation of its policy.
#[derive(PartialEq, Eq)]
pub(super) struct Key {
    bound: Bound,
    report_data: Option<[u8; 64]>,
    generation: u64,
    media_type: MediaType,
    bytes: Vec<u8>,
    endorsements: Vec<Endorsement>,
}

#[derive(PartialEq, Eq)]
struct Endorsement {
    label: String,
    kind: Type,
    indicator: Option<Indicator>,
    value: Vec<u8>,
}

/// Evidence has up to 64 KiB, and this runs under the lock. The value of a connection or batch tells keys apart well enough to find
/// one; the comparison then is of the whole key.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bound.hash(state);
        self.generation.hash(state);
        self.bytes.len().hash(state);
    }
}

impl Key {
    pub(super) fn of(evidence: &Evidence<'_>, generation: u64) -> Self {
        let endorsements = evidence.endorsements().iter();
        Self {
            bound: evidence.bound().clone(),
            report_data: evidence.report_data().copied(),
            generation,
            media_type: evidence.media_type().clone(),
            bytes: evidence.bytes().to_vec(),
            endorsements: endorsements
                .map(|item| Endorsement {
                    label: item.label().to_owned(),
                    kind: item.kind().clone(),
                    indicator: item.indicator(),
                    value: item.value().to_vec(),
                })
                .collect(),
        }
    }

    pub(super) fn size(&self) -> usize {
        let endorsements = self.endorsements.iter();
        endorsements.fold(self.bytes.len(), |sum, item| {
            sum.saturating_add(item.value.len())
        })
    }
}
