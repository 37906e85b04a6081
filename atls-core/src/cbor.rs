//! Properties of encoded CBOR (RFC 8949) that a parsed value does not show.

/// Tells whether an integer of 64 bits is written as a bignum (tags 2 and 3). ciborium reads it like a plain integer.
///
/// No format here has bignums, and a label or number with two spellings is one too many. Bytes that are not well-formed count
/// as hiding one.
pub(crate) fn hides_integer(encoded: &[u8]) -> bool {
    let mut rest = encoded;
    let mut bignum = false;
    // The walk goes over the heads in their order, so it needs no stack. A length cannot outrun the bytes.
    while !rest.is_empty() {
        let Some((major, argument, after)) = head(rest) else {
            return true;
        };
        rest = after;
        if let (BYTES | TEXT, Some(length)) = (major, argument) {
            let split = usize::try_from(length).ok();
            let Some((content, after)) = split.and_then(|length| after.split_at_checked(length))
            else {
                return true;
            };
            let digits = content.iter().skip_while(|byte| **byte == 0).count();
            if bignum && digits <= 8 {
                return true;
            }
            rest = after;
        }
        bignum = major == TAG && matches!(argument, Some(2 | 3));
    }
    false
}

/// Major type and argument of the first head, and the bytes after it. An indefinite length and a break have no argument.
pub(crate) fn head(encoded: &[u8]) -> Option<(u8, Option<u64>, &[u8])> {
    let (first, rest) = encoded.split_first()?;
    let major = first >> 5;
    let length = match first & 0x1f {
        short @ 0..=23 => return Some((major, Some(short.into()), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        31 => return Some((major, None, rest)),
        _ => return None,
    };
    let (argument, rest) = rest.split_at_checked(length)?;
    let argument = argument
        .iter()
        .fold(0, |value, byte| (value << 8) | u64::from(*byte));
    Some((major, Some(argument), rest))
}

/// The bytes after the first item. There are none if the item nests deeper than `depth` or is not well-formed.
// Recursion is bounded by `depth`.
pub(crate) fn skip(encoded: &[u8], depth: usize) -> Option<&[u8]> {
    let (major, argument, rest) = head(encoded)?;
    let inner = depth.checked_sub(1);
    match (major, argument) {
        (INTEGER | NEGATIVE, Some(_)) | (SIMPLE, Some(_)) => Some(rest),
        (BYTES | TEXT, Some(length)) => rest.get(usize::try_from(length).ok()?..),
        (TAG, Some(_)) => skip(rest, inner?),
        (ARRAY | MAP, Some(count)) => {
            let items = if major == MAP {
                count.checked_mul(2)?
            } else {
                count
            };
            // Each item has at least one byte, so a false count ends with the bytes.
            (0..items).try_fold(rest, |rest, _| skip(rest, inner?))
        }
        (BYTES | TEXT | ARRAY | MAP, None) => {
            let mut rest = rest;
            loop {
                match without_break(rest) {
                    Some(after) => return Some(after),
                    None => rest = skip(rest, inner?)?,
                }
            }
        }
        _ => None,
    }
}

/// The bytes after a break, if the bytes begin with one.
pub(crate) fn without_break(encoded: &[u8]) -> Option<&[u8]> {
    encoded.strip_prefix(&[0xff])
}

pub(crate) const INTEGER: u8 = 0;
pub(crate) const NEGATIVE: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const TEXT: u8 = 3;
pub(crate) const ARRAY: u8 = 4;
pub(crate) const MAP: u8 = 5;
pub(crate) const TAG: u8 = 6;
pub(crate) const SIMPLE: u8 = 7;

#[cfg(test)]
mod tests {
    use ciborium::Value;

    use super::*;

    #[test]
    fn a_bignum_that_an_integer_could_say_is_found_wherever_it_stands() {
        for hidden in [
            &[0xc2, 0x41, 1][..],
            &[0xc3, 0x40],
            &[0xd8, 2, 0x41, 1],
            &[0x82, 0x01, 0xc2, 0x48, 1, 1, 1, 1, 1, 1, 1, 1],
            &[0xa1, 0xc2, 0x49, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0x01],
            &[0x9f, 0x5f, 0x41, 0, 0xff, 0xc2, 0x58, 1, 7, 0xff],
        ] {
            assert!(hides_integer(hidden), "{hidden:02x?}");
        }
    }

    #[test]
    fn what_merely_looks_like_one_is_not() {
        for plain in [
            &[0x43, 0xc2, 0x41, 1][..],
            &[0x63, 0xc2, 0x41, 1],
            &[0xc4, 0x41, 1],
            &[0x82, 0xc2, 0x49, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0x41, 1],
            &[0xa1, 0x18, 0xc2, 0xf9, 0xc2, 0x41],
            &[],
        ] {
            assert!(!hides_integer(plain), "{plain:02x?}");
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_no_excuse() {
        for cut in [
            &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
            &[0x42, 1],
            &[0x19, 1],
            &[0x1c],
        ] {
            assert!(hides_integer(cut), "{cut:02x?}");
        }
    }

    #[test]
    fn one_item_is_skipped_and_no_more() {
        for item in [
            &[0x00][..],
            &[0x39, 1, 0],
            &[0x43, 1, 2, 3],
            &[0x5f, 0x41, 0xff, 0x40, 0xff],
            &[0x82, 0x80, 0xa1, 1, 0xf6],
            &[0x9f, 0xbf, 0x61, b'a', 0x9f, 0xff, 0xff, 0xff],
            &[0xc1, 0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            let followed = [item, &[0xff, 7]].concat();
            assert_eq!(skip(&followed, 4), Some(&[0xff, 7][..]), "{item:02x?}");
            for length in 0..item.len() {
                assert_eq!(skip(&item[..length], 4), None, "{:02x?}", &item[..length]);
            }
        }
        assert_eq!(skip(&[0x81, 0x81, 0], 2), Some(&[][..]));
        assert_eq!(skip(&[0x81, 0x81, 0], 1), None);
        assert_eq!(
            skip(&[0x9b, 255, 255, 255, 255, 255, 255, 255, 255, 0], 4),
            None
        );
    }

    #[test]
    fn agrees_with_what_ciborium_turns_into_integers() {
        for length in 0_u8..=20 {
            let mut encoded = vec![0xc2, 0x40 | length];
            encoded.extend(std::iter::repeat_n(1, length.into()));
            let value: Value = ciborium::from_reader(&*encoded).unwrap();
            assert_eq!(hides_integer(&encoded), value.is_integer(), "{length}");
        }
    }
}
