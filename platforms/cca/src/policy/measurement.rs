//! Digests of 32, 48 or 64 bytes, and bytes of any length, in hexadecimal in files.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;

/// A digest of SHA-256, SHA-384 or SHA-512. In files 64, 96 or 128 hexadecimal digits.
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

    pub(super) fn is_zero(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

impl fmt::Debug for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Measurement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        hexadecimal::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Measurement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "64, 96 or 128 hexadecimal digits";
        let bytes = hexadecimal::read(deserializer, expected)?;
        Self::new(&bytes).ok_or_else(|| de::Error::invalid_length(bytes.len(), &expected))
    }
}

/// Bytes of no fixed length: `#[serde(with = "hexadecimal")]`.
pub(super) mod hexadecimal {
    use super::*;

    pub(in crate::policy) fn serialize<S: Serializer>(
        bytes: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(
        deserializer: D,
        expected: &'static str,
    ) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_str(HexVisitor(expected))
    }

    struct HexVisitor(&'static str);

    impl de::Visitor<'_> for HexVisitor {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
                [high, low] => u8::try_from(digit(high)?.checked_shl(4)? | digit(low)?).ok(),
                _ => None,
            });
            let bytes: Option<Vec<u8>> = pairs.collect();
            bytes.ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
}

/// Bytes of no fixed length that may be absent.
pub(super) mod optional_hexadecimal {
    use super::*;

    pub(in crate::policy) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => hexadecimal::serialize(bytes, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::policy) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        hexadecimal::read(deserializer, "hexadecimal digits").map(Some)
    }
}
