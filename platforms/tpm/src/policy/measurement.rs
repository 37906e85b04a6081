//! A digest that a policy names.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

use super::hexadecimal;

/// A digest of 32, 48 or 64 bytes, in hexadecimal in files.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measurement(Vec<u8>);

impl Measurement {
    /// A digest; `None` of another length than 32, 48 and 64 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let is_digest = [32, 48, 64].contains(&bytes.len());
        is_digest.then(|| Self(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As a reset leaves a register.
    pub(super) fn is_unmeasured(&self) -> bool {
        is_unmeasured(&self.0)
    }
}

/// Whether a register holds what a reset leaves in it: zeros; all ones in those of a dynamic launch that did not happen.
pub(crate) fn is_unmeasured(value: &[u8]) -> bool {
    let all = |expected| value.iter().all(|byte| *byte == expected);
    all(0) || all(0xff)
}

impl fmt::Debug for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal::of(&self.0))
    }
}

impl Serialize for Measurement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hexadecimal::of(&self.0))
    }
}

impl<'de> Deserialize<'de> for Measurement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "64, 96 or 128 hexadecimal digits";
        let bytes = hexadecimal::read(deserializer, expected)?;
        let measurement = Self::new(&bytes);
        measurement.ok_or_else(|| de::Error::invalid_length(bytes.len(), &expected))
    }
}
