//! The items of a peer that are not those of a policy.

use std::fmt;

use super::candidate::Candidate;
use super::expected_item::ExpectedItem;
use crate::finding;
use crate::finding::AtEnd;
use crate::finding::Place;

/// The item that a peer's attestation has too many or lacks, and the items that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadComposition {
    item: ExpectedItem,
    seen: Vec<ExpectedItem>,
    place: Option<Place>,
}

impl BadComposition {
    pub(super) fn of(item: ExpectedItem, candidate: &Candidate) -> Self {
        let seen = candidate.items().iter();
        Self {
            item,
            seen: seen.map(ExpectedItem::seen).collect(),
            place: None,
        }
    }

    pub(super) fn with_place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The item: as the peer sent it, or as the policy requires it.
    pub fn item(&self) -> &ExpectedItem {
        &self.item
    }

    /// The items of the peer, each by platform, label and chain. The peer chose the labels.
    pub fn seen(&self) -> &[ExpectedItem] {
        &self.seen
    }

    /// The place of the policy's rule.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

/// Prints what was seen, and the place: the end of a sentence about the item.
impl fmt::Display for BadComposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "; it has ";
        for item in &self.seen {
            // A label may be long, and every peer can have such a line written.
            write!(f, "{separator}{}", finding::bounded(item))?;
            separator = ", ";
        }
        AtEnd(self.place.as_ref()).fmt(f)
    }
}
