//! The parts of a message, as they nest.

use super::error::CmwError;
use super::item::Indicator;
use super::item::Type;
use super::label::Label;
use crate::limits::MAX_CMW_DEPTH;
use crate::limits::MAX_CMW_ITEMS;
use crate::limits::MAX_CMW_LABEL;

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Form {
    Collection(Collection),
    Record(Record),
    Tag(Tag),
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) kind: Type,
    pub(super) value: Vec<u8>,
    pub(super) indicator: Option<Indicator>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) content_format: u16,
    pub(super) value: Vec<u8>,
}

impl Form {
    pub(super) fn check_limits(&self) -> Result<(), CmwError> {
        if self.depth() > MAX_CMW_DEPTH {
            return Err(CmwError::TooDeep);
        }
        if self.count() > MAX_CMW_ITEMS {
            return Err(CmwError::TooMany);
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Collection(collection) => {
                let counts = collection.members.iter().map(|(_, member)| member.count());
                counts.fold(0, usize::saturating_add)
            }
            Self::Record(_) | Self::Tag(_) => 1,
        }
    }

    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Collection(collection) => {
                let members = collection.members.iter();
                let deepest = members.map(|(_, member)| member.depth()).max();
                deepest.unwrap_or(0).saturating_add(1)
            }
            Self::Record(_) | Self::Tag(_) => 0,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Collection {
    pub(super) kind: Option<String>,
    pub(super) members: Vec<(Label, Form)>,
}

impl Collection {
    pub(super) fn new(kind: Option<String>, members: Vec<(Label, Form)>) -> Result<Self, CmwError> {
        if members.is_empty() {
            return Err(CmwError::Empty);
        }
        if kind
            .as_deref()
            .is_some_and(|kind| !is_uri(kind) && !is_oid(kind))
        {
            return Err(CmwError::CollectionType);
        }
        if members.len() > MAX_CMW_ITEMS {
            return Err(CmwError::TooMany);
        }
        // At most 8, so that a linear search will do.
        for (index, (label, _)) in members.iter().enumerate() {
            if matches!(label, Label::Text(text) if text.len() > MAX_CMW_LABEL) {
                return Err(CmwError::LongLabel);
            }
            let repeated = members.iter().take(index).any(|(known, _)| known == label);
            if repeated || *label == Label::from(COLLECTION_TYPE) {
                return Err(CmwError::RepeatedLabel);
            }
        }
        Ok(Self { kind, members })
    }
}

/// RFC 3986 §4.3, for a reader that does not use the parts: a scheme, and then printable ASCII that may stand in a URI.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

/// At least two arcs in decimal, the first of them 0, 1 or 2.
fn is_oid(text: &str) -> bool {
    let is_arc = |arc: &str| {
        let digits = !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit());
        digits && (arc == "0" || !arc.starts_with('0'))
    };
    matches!(text.split_once('.'), Some(("0" | "1" | "2", rest)) if rest.split('.').all(is_arc))
}

/// The name of the entry that holds the collection's type and is no member.
pub(super) const COLLECTION_TYPE: &str = "__cmwc_t";
