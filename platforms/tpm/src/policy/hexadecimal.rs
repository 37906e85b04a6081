//! Bytes of no fixed length, in hexadecimal in files.

use std::fmt;
use std::fmt::Write;

use serde::Deserializer;
use serde::de;

pub(crate) fn of(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<Vec<u8>, D::Error> {
    deserializer.deserialize_str(HexVisitor(expected))
}

/// Digits of either case, two a byte.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => u8::try_from(digit(high)?.checked_shl(4)? | digit(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

struct HexVisitor(&'static str);

impl de::Visitor<'_> for HexVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
        bytes(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}
