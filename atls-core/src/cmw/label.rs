//! The names of members of a collection.

use std::fmt;

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
    /// The label as a step of a path. Different paths have different texts: `~` and `/` are escaped as in a JSON Pointer
    /// (RFC 6901), and `~2` precedes a text that is empty or reads as an integer.
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
