//! A register that a policy names.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

/// A register, 0 to 23. A key of a table in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PcrIndex(u8);

impl PcrIndex {
    /// A register; `None` above 23.
    pub fn new(index: u8) -> Option<Self> {
        (index < 24).then_some(Self(index))
    }

    /// The register.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Serialize for PcrIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A key of a table is text, and a field of an event is a number.
impl<'de> Deserialize<'de> for PcrIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IndexVisitor;

        impl de::Visitor<'_> for IndexVisitor {
            type Value = PcrIndex;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a register, 0 to 23")
            }

            fn visit_i64<E: de::Error>(self, index: i64) -> Result<PcrIndex, E> {
                let index = u64::try_from(index).unwrap_or(u64::MAX);
                self.visit_u64(index)
            }

            fn visit_u64<E: de::Error>(self, index: u64) -> Result<PcrIndex, E> {
                let register = u8::try_from(index).ok().and_then(PcrIndex::new);
                register.ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(index), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PcrIndex, E> {
                let register = text.parse().ok().and_then(PcrIndex::new);
                // One spelling each: a table with the keys 4 and 04 would have a value that nobody looks at.
                let register = register.filter(|index| index.0.to_string() == text);
                register.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(IndexVisitor)
    }
}
