//! CBOR of a peer (RFC 8949): one item within limits.

use atls_core::bounded::CborLimits;
use ciborium::Value;

/// Reads one item of at most `at_most` values, nested at most 16 deep. There is none if the bytes are malformed, exceed a limit
/// or go on after the item.
pub(crate) fn decode(at_most: usize, bytes: &[u8]) -> Option<Value> {
    let limits = CborLimits {
        items: at_most,
        nesting: MAX_NESTING,
    };
    limits.read(bytes).ok()
}

/// As [`decode`], of a format that forbids indefinite lengths.
pub(crate) fn decode_definite(at_most: usize, bytes: &[u8]) -> Option<Value> {
    is_definite(bytes).then(|| decode(at_most, bytes))?
}

/// Whether no string, array or map is of indefinite length (RFC 8949 §3.2). It stops at the first malformed byte, where the reader
/// stops too.
pub(crate) fn is_definite(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let (major, argument) = (first >> 5, first & 0x1f);
        let size = match argument {
            0..=23 => 0,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            INDEFINITE => return false,
            _ => return true,
        };
        let Some((digits, after)) = after.split_at_checked(size) else {
            return true;
        };
        rest = match major {
            BYTES | TEXT => {
                let length = match digits {
                    [] => Some(usize::from(argument)),
                    digits => number(digits),
                };
                let content = length.and_then(|length| after.split_at_checked(length));
                match content {
                    Some((_, after)) => after,
                    None => return true,
                }
            }
            _ => after,
        };
    }
    true
}

/// The value of a key that stands exactly once. Readers differ on which value of a repeated key counts.
pub(crate) fn only(entries: &[(Value, Value)], key: impl Into<Value>) -> Option<&Value> {
    let key = key.into();
    let mut found = entries.iter().filter(|(known, _)| *known == key);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

/// Whether a key stands there, once or more.
pub(crate) fn has(entries: &[(Value, Value)], key: impl Into<Value>) -> bool {
    let key = key.into();
    entries.iter().any(|(known, _)| *known == key)
}

fn number(digits: &[u8]) -> Option<usize> {
    digits.iter().try_fold(0_usize, |number, digit| {
        number.checked_mul(256)?.checked_add(usize::from(*digit))
    })
}

/// Claims of devices nest three or four deep.
const MAX_NESTING: usize = 16;

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const INDEFINITE: u8 = 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indefinite_lengths_are_seen_wherever_they_stand() {
        for definite in [
            &[0x83, 1, 0x61, b'a', 0xa1, 2, 0x42, 0x5f, 0xff][..],
            &[0x58, 2, 0x9f, 0xff],
            &[0x59, 0, 1, 0xbf],
            &[0x1b, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f],
            &[0x1c, 0x9f],
            &[0x58, 3, 0x9f],
            &[],
        ] {
            assert!(is_definite(definite), "{definite:x?}");
        }
        for indefinite in [
            &[0x9f, 0xff][..],
            &[0xbf, 0xff],
            &[0x5f, 0x41, 1, 0xff],
            &[0x7f, 0x61, b'a', 0xff],
            &[0x82, 0x58, 1, 0x9f, 0x9f, 0xff],
            &[0xa1, 1, 0xc1, 0x9f, 0xff],
            &[0x79, 0, 1, b'a', 0xff],
        ] {
            assert!(!is_definite(indefinite), "{indefinite:x?}");
        }
    }
}
