//! An item that a policy expects in a message.

use std::fmt;

use super::appraised_item::AppraisedItem;
use crate::media_type::MediaType;

/// An item that a [`Composition`](crate::policy::Composition) names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedItem {
    media_type: MediaType,
    label: Option<String>,
    chained_to: Option<String>,
}

impl ExpectedItem {
    /// An item of this media type under any label.
    pub fn new(media_type: MediaType) -> Self {
        Self {
            media_type,
            label: None,
            chained_to: None,
        }
    }

    /// Only under this label: the path of [`AppraisedItem::label`]. The peer chose the labels, so a label tells apart what the verifiers
    /// cannot, and proves nothing.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Only where it vouches for the key of the item of this label, so that both are of one machine: the path of
    /// [`AppraisedItem::chained_to`].
    #[must_use]
    pub fn chained_to(mut self, label: impl Into<String>) -> Self {
        self.chained_to = Some(label.into());
        self
    }

    /// An item of a peer, as a policy would have to write it.
    pub(super) fn seen(item: &AppraisedItem) -> Self {
        let label = Some(item.label()).filter(|label| !label.is_empty());
        Self {
            media_type: item.media_type().clone(),
            label: label.map(str::to_owned),
            chained_to: item.chained_to().map(str::to_owned),
        }
    }

    /// Whether it demands a label, and whether a chain. More is greater.
    pub(super) fn demands(&self) -> (bool, bool) {
        (self.label.is_some(), self.chained_to.is_some())
    }

    pub(super) fn fits(&self, item: &AppraisedItem) -> bool {
        let label = self.label.as_deref();
        let chained_to = self.chained_to.as_deref();
        self.media_type == *item.media_type()
            && label.is_none_or(|label| label == item.label())
            && chained_to.is_none_or(|label| Some(label) == item.chained_to())
    }
}

/// Prints media type, label and chain: what the operator wrote.
impl fmt::Display for ExpectedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.media_type)?;
        if let Some(label) = &self.label {
            write!(f, " labelled \"{}\"", label.escape_debug())?;
        }
        match &self.chained_to {
            Some(label) => write!(f, " chained to \"{}\"", label.escape_debug()),
            None => Ok(()),
        }
    }
}
