//! Several messages under labels.

use std::fmt;

use super::CmwError;
use super::Form;
use crate::limits::MAX_CMW_ITEMS;
use crate::limits::MAX_CMW_LABEL;

/// Names a member of a collection. JSON has text only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "RFC 9999's two kinds of label")]
pub enum Label {
    /// A CBOR integer of up to 64 bits.
    Integer(i64),
    /// Text of at most 128 bytes; not `__cmwc_t`.
    Text(String),
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Label {
    /// As a step of a path, so that no two paths are written alike: `~` and `/` as in a JSON Pointer (RFC 6901), and `~2`
    /// before a text that is empty or would read as an integer.
    pub(super) fn as_step(&self) -> String {
        match self {
            Self::Integer(integer) => integer.to_string(),
            Self::Text(text) => {
                let escaped = text.replace('~', "~0").replace('/', "~1");
                if text.is_empty() || text.parse::<i64>().is_ok() {
                    format!("~2{escaped}")
                } else {
                    escaped
                }
            }
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Text(text) => f.write_str(text),
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

/// RFC 3986 §4.3, as far as a reader without interest in its parts needs: a scheme, and then printable ASCII that may
/// stand in a URI.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let in_scheme = |octet: u8| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|octet| octet.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&octet))
}

/// At least two arcs in decimal, the first of them 0, 1 or 2.
fn is_oid(text: &str) -> bool {
    let is_arc = |arc: &str| {
        let digits = !arc.is_empty() && arc.bytes().all(|octet| octet.is_ascii_digit());
        digits && (arc == "0" || !arc.starts_with('0'))
    };
    matches!(text.split_once('.'), Some(("0" | "1" | "2", rest)) if rest.split('.').all(is_arc))
}

/// The member that is no member but the collection's type.
pub(super) const COLLECTION_TYPE: &str = "__cmwc_t";
