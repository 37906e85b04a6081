//! Bounds on the number of values in an encoding.
//!
//! A value of one byte becomes an object of 32 to 256 bytes in memory. So a message within its limit of length could still cost
//! its reader a hundred times as much. [`CborLimits`] reads CBOR and keeps its bounds. For other encodings, call one of these
//! functions before the parser, and refuse the message if it returns false. They need no memory.
//!
//! They do **not** check that the encoding is well-formed. They stop counting at the first malformed byte, where the parser stops
//! too. Only [`cose_sign1`] refuses headers that it cannot read.

mod cbor_limits;

pub use cbor_limits::CborError;
pub use cbor_limits::CborLimits;

use crate::cbor;
use crate::cbor::head;
use crate::cose;
use crate::limits::MAX_HEADER_VALUES;

/// Tells whether a COSE_Sign1 (RFC 9052 §4.2) has at most `at_most` data items, its protected header, which is CBOR within a byte
/// string, has at most [`MAX_HEADER_VALUES`], and no header has a countersignature (RFC 9338). A parser may follow countersignatures
/// into the headers that nest within them, to any depth. The payload counts as one item.
#[must_use]
pub fn cose_sign1(at_most: usize, encoded: &[u8]) -> bool {
    if !cbor(at_most, encoded) {
        return false;
    }
    match cose::headers(encoded) {
        Some((protected, unprotected)) => {
            cbor(MAX_HEADER_VALUES, protected)
                && cose::is_plain(protected)
                && cose::is_plain(unprotected)
        }
        None => false,
    }
}

/// Tells whether DER has at most `at_most` elements, nested at most 32 deep. The content of an OCTET STRING counts if it begins
/// with a SEQUENCE, as in the extensions of a certificate. The bytes after a tag above 30 or an indefinite length count as if they
/// were elements of the smallest size.
#[must_use]
pub fn der(at_most: usize, encoded: &[u8]) -> bool {
    let mut left = at_most;
    count_der(encoded, &mut left, MAX_DER_DEPTH)
}

/// Tells whether JSON (RFC 8259) has at most `at_most` values. Each name is a value too.
///
/// ```
/// // The object, and a name and a value twice.
/// assert!(atls_core::bounded::json(5, br#"{"a": 1, "b": ","}"#));
/// assert!(!atls_core::bounded::json(4, br#"{"a": 1, "b": ","}"#));
/// ```
#[must_use]
pub fn json(at_most: usize, text: &[u8]) -> bool {
    let mut left = at_most;
    let mut in_string = false;
    let mut escaped = false;
    // A value begins the text, and follows each `,`, `:`, `[` and `{`.
    let mut begins = true;
    for byte in text {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b'}' | b']' => continue,
            b',' | b':' => {
                begins = true;
                continue;
            }
            _ => {}
        }
        if begins || matches!(byte, b'[' | b'{') {
            let Some(fewer) = left.checked_sub(1) else {
                return false;
            };
            left = fewer;
        }
        begins = matches!(byte, b'[' | b'{');
        in_string = *byte == b'"';
    }
    true
}

/// Tells whether CBOR (RFC 8949) has at most `at_most` data items. Keys, tags and the chunks of a string are items.
fn cbor(at_most: usize, encoded: &[u8]) -> bool {
    let mut rest = encoded;
    for _ in 0..at_most {
        let Some((_, after)) = item(rest) else {
            return true;
        };
        rest = after;
    }
    item(rest).is_none()
}

/// The first item's own content, and the bytes after its head and content. The members of an array are bytes after it.
fn item(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let (major, argument, rest) = head(encoded)?;
    match (major, argument) {
        (cbor::BYTES | cbor::TEXT, Some(length)) => {
            rest.split_at_checked(usize::try_from(length).ok()?)
        }
        _ => Some((&[], rest)),
    }
}

// Recursion is bounded by `depth`.
fn count_der(encoded: &[u8], left: &mut usize, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    let mut rest = encoded;
    loop {
        let (tag, content, after) = match der_element(rest) {
            Element::End => return true,
            Element::Unreadable => return take(left, rest.len().div_ceil(SMALLEST)),
            Element::Read {
                tag,
                content,
                after,
            } => (tag, content, after),
        };
        if !take(left, 1) {
            return false;
        }
        let constructed = tag & CONSTRUCTED != 0;
        let holds =
            tag == OCTET_STRING && matches!(content.first(), Some(&(SEQUENCE | IN_HIGH_FORM)));
        if (constructed || holds) && !count_der(content, left, depth) {
            return false;
        }
        rest = after;
    }
}

fn take(left: &mut usize, elements: usize) -> bool {
    let fewer = left.checked_sub(elements);
    *left = fewer.unwrap_or(0);
    fewer.is_some()
}

/// The first element.
enum Element<'a> {
    /// There is no element, or only a part of one. Every parser stops there.
    End,
    Read {
        tag: u8,
        content: &'a [u8],
        after: &'a [u8],
    },
    /// A tag of several bytes (X.690 §8.1.2.4) or an indefinite length. No certificate has one, random bytes may, and parsers
    /// differ on them.
    Unreadable,
}

/// Reads the first element. A length beyond the end is cut there, since some parsers go on behind such an element.
fn der_element(encoded: &[u8]) -> Element<'_> {
    let (tag, first, rest) = match encoded {
        [tag, ..] if tag & HIGH_FORM == HIGH_FORM => return Element::Unreadable,
        [_, INDEFINITE, ..] => return Element::Unreadable,
        [tag, first, rest @ ..] => (*tag, *first, rest),
        _ => return Element::End,
    };
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long => {
            let size = usize::from(long & 0x7f);
            let Some((digits, rest)) = rest.split_at_checked(size) else {
                return Element::End;
            };
            let length = digits.iter().try_fold(0_usize, |length, digit| {
                length.checked_mul(256)?.checked_add(usize::from(*digit))
            });
            (length.unwrap_or(usize::MAX), rest)
        }
    };
    let (content, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    Element::Read {
        tag,
        content,
        after,
    }
}

const CONSTRUCTED: u8 = 0x20;
const HIGH_FORM: u8 = 0x1f;
const INDEFINITE: u8 = 0x80;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The first byte of the tag of a SEQUENCE in several bytes, which x509-parser reads.
const IN_HIGH_FORM: u8 = 0x3f;

/// The size of the smallest element in bytes: a tag, and a length of 0.
const SMALLEST: usize = 2;

/// Certificates nest about ten deep.
const MAX_DER_DEPTH: usize = 32;

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json_values(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(all) => 1 + all.iter().map(json_values).sum::<usize>(),
            serde_json::Value::Object(all) => {
                1 + all
                    .values()
                    .map(|value| 1 + json_values(value))
                    .sum::<usize>()
            }
            _ => 1,
        }
    }

    fn cbor_values(value: &ciborium::Value) -> usize {
        match value {
            ciborium::Value::Array(all) => 1 + all.iter().map(cbor_values).sum::<usize>(),
            ciborium::Value::Map(all) => {
                let entries = all.iter();
                1 + entries
                    .map(|(key, value)| cbor_values(key) + cbor_values(value))
                    .sum::<usize>()
            }
            ciborium::Value::Tag(_, inner) => 1 + cbor_values(inner),
            _ => 1,
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(serde_json::Value::from),
            any::<bool>().prop_map(serde_json::Value::from),
            "[\"\\\\,:{}a ]{0,8}".prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
                prop::collection::hash_map("[\"\\\\,:{}a]{0,4}", inner, 0..4)
                    .prop_map(serde_json::Value::from_iter),
            ]
        })
    }

    fn any_cbor() -> impl Strategy<Value = ciborium::Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(ciborium::Value::from),
            any::<f64>().prop_map(ciborium::Value::from),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(ciborium::Value::Bytes),
            "[a-z]{0,30}".prop_map(ciborium::Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(ciborium::Value::Array),
                prop::collection::vec((inner.clone(), inner.clone()), 0..4)
                    .prop_map(ciborium::Value::Map),
                (60_000..u64::MAX, inner)
                    .prop_map(|(tag, inner)| ciborium::Value::Tag(tag, Box::new(inner))),
            ]
        })
    }

    proptest! {
        #[test]
        fn counts_every_json_value(value in any_json()) {
            let values = json_values(&value);
            for text in [value.to_string(), format!("{value:#}")] {
                prop_assert!(json(values, text.as_bytes()), "{}", text);
                prop_assert!(!json(values - 1, text.as_bytes()), "{}", text);
            }
        }

        #[test]
        fn counts_every_cbor_item(value in any_cbor()) {
            let mut encoded = Vec::new();
            ciborium::into_writer(&value, &mut encoded).unwrap();
            let values = cbor_values(&value);
            prop_assert!(cbor(values, &encoded));
            prop_assert!(!cbor(values - 1, &encoded));
        }
    }

    #[test]
    fn looks_into_a_protected_header() {
        let mut header = vec![0x98, 200];
        header.extend([0; 200]);
        let sign1 = |tags: &[u8], start: &[u8]| [tags, &[0x84], start, &header].concat();
        for tags in [&[][..], &[0xd2], &[0xd8, 0x3d, 0xd2]] {
            assert!(!cose_sign1(1000, &sign1(tags, &[0x58, 202])));
            assert!(!cose_sign1(1000, &sign1(tags, &[0x5f, 0x58, 202])));
        }
        assert!(cose_sign1(
            10,
            &[0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0x40, 0x40]
        ));
        assert!(!cose_sign1(
            5,
            &[0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0x40, 0x40]
        ));
    }

    #[test]
    fn counts_der_within_byte_strings_and_behind_lengths_that_overrun() {
        let nulls = [0x30, 8, 5, 0, 5, 0, 5, 0, 5, 0];
        assert!(der(5, &nulls) && !der(4, &nulls));
        let holder = [&[0x04, 10][..], &nulls].concat();
        assert!(der(6, &holder) && !der(5, &holder));
        let text = [&[0x0c, 10][..], &nulls].concat();
        let octets = [0x04, 4, 5, 0, 5, 0];
        assert!(der(1, &text) && der(1, &octets));
        let overrun = [&[0x30, 4, 0x02, 0x82, 0xff, 0xff][..], &nulls].concat();
        assert!(der(7, &overrun) && !der(6, &overrun));
        assert!(der(100, &[0x30, 0x80].repeat(100)));
        assert!(!der(99, &[0x30, 0x80].repeat(100)));
        let indefinite = [&[0x30, 0x80, 0x0c, 10][..], &nulls].concat();
        assert!(der(7, &indefinite) && !der(6, &indefinite));
        let nested = (0..MAX_DER_DEPTH).fold(vec![], |inner: Vec<u8>, _| {
            [&[0x30, u8::try_from(inner.len()).unwrap()][..], &inner].concat()
        });
        assert!(!der(1000, &nested) && der(1000, &nested[2..]));
        for length in 0..nulls.len() {
            assert!(der(5, &nulls[..length]));
        }
    }

    #[test]
    fn elements_behind_a_tag_of_several_bytes_count() {
        let nulls = [0x30, 8, 5, 0, 5, 0, 5, 0, 5, 0];
        let hidden = [&[0x9f, 0x84, 1, 0][..], &nulls].concat();
        assert!(der(7, &hidden) && !der(6, &hidden));
        // SEQUENCE, in two bytes.
        let sequence = [&[0x3f, 0x10, 8][..], &nulls[2..]].concat();
        let holder = [&[0x04, 11][..], &sequence].concat();
        assert!(der(7, &holder) && !der(6, &holder));
    }

    #[test]
    fn bytes_at_random_do_not_make_a_certificate_too_large() {
        // As identifiers of keys and of chips are.
        for first in [0x30, 0x3f] {
            let random = [&[0x04, 20, first, 16, 0x1f, 0x80, 0xff][..], &[0x9f; 15]].concat();
            assert!(der(12, &random));
        }
    }
}
