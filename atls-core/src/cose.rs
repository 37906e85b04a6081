//! The headers of a COSE_Sign1 (RFC 9052 §3), checked before coset reads them.

use crate::cbor::ARRAY;
use crate::cbor::BYTES;
use crate::cbor::INTEGER;
use crate::cbor::MAP;
use crate::cbor::NEGATIVE;
use crate::cbor::TAG;
use crate::cbor::TEXT;
use crate::cbor::head;
use crate::cbor::skip;
use crate::cbor::without_break;

/// The two headers of a COSE_Sign1, tagged or not: the content of the protected header, and the encoding from the unprotected
/// header on. There are none if the structure is another, or if a header is in chunks.
pub(crate) fn headers(encoded: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut major, _, mut rest) = head(encoded)?;
    while major == TAG {
        (major, _, rest) = head(rest)?;
    }
    if major != ARRAY {
        return None;
    }
    let (BYTES, Some(length), rest) = head(rest)? else {
        return None;
    };
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// Tells whether a header map has no countersignature, and no label that could be one in another spelling.
///
/// This crate verifies no countersignatures. coset reads one of label 7 with its own protected header, out of a byte string, and
/// so on without a limit: the depth overflows the stack, and the copies are quadratic.
pub(crate) fn is_plain(header: &[u8]) -> bool {
    // An empty byte string is an empty protected header.
    header.is_empty() || plain(header).unwrap_or(false)
}

fn plain(header: &[u8]) -> Option<bool> {
    let (MAP, entries, mut rest) = head(header)? else {
        return None;
    };
    let mut left = entries;
    loop {
        match left {
            Some(0) => return Some(true),
            Some(more) => left = Some(more.checked_sub(1)?),
            None if without_break(rest).is_some() => return Some(true),
            None => {}
        }
        match head(rest)? {
            (INTEGER, Some(label), _) if COUNTERSIGNATURES.contains(&label) => return Some(false),
            // Anything else may hide an integer: ciborium reads a bignum as one.
            (INTEGER | NEGATIVE | TEXT, ..) => {}
            _ => return Some(false),
        }
        rest = skip(skip(rest, MAX_NESTING)?, MAX_NESTING)?;
    }
}

/// RFC 8152 §3.1, and RFC 9338 §3: with a header of its own, and without.
const COUNTERSIGNATURES: [u64; 3] = [7, 11, 12];

/// A key within claims, which are within a header, nests four deep.
const MAX_NESTING: usize = 8;

#[cfg(test)]
mod tests {
    use ciborium::Value;
    use coset::CborSerializable;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_countersignature_is_found_however_its_label_is_written() {
        for label in [
            &[0x07][..],
            &[0x0b],
            &[0x0c],
            &[0x18, 7],
            &[0x19, 0, 7],
            &[0x1a, 0, 0, 0, 7],
            &[0x1b, 0, 0, 0, 0, 0, 0, 0, 7],
            &[0xc2, 0x41, 7],
            &[0xc2, 0x43, 0, 0, 7],
            &[0xd8, 2, 0x41, 7],
            &[0xc1, 7],
        ] {
            let first = [&[0xa1][..], label, &[0x80]].concat();
            let second = [&[0xa2, 1, 0x82, 0xa1, 7, 0, 0xc1, 0x41, 7], label, &[0x80]].concat();
            let third = [&[0xbf, 0x61, 7, 0x9f, 7, 0xff], label, &[0x80, 0xff]].concat();
            let text = [&[0xa2, 0x7f, 0x61, 7, 0x60, 0xff, 0x26], label, &[0x80]].concat();
            for header in [first, second, third, text] {
                assert!(!is_plain(&header), "{header:02x?}");
            }
        }
    }

    #[test]
    fn a_seven_elsewhere_is_none() {
        for header in [
            &[][..],
            &[0xa0],
            &[0xbf, 0xff],
            &[0xa2, 1, 0x26, 4, 0x42, 7, 7],
            &[0xa2, 0x61, 7, 7, 0x26, 0x9f, 7, 0xa1, 7, 7, 0xff],
            &[0xbf, 0x18, 0x21, 0x5f, 0x41, 7, 0xff, 0x07 | 0x20, 7, 0xff],
        ] {
            assert!(is_plain(header), "{header:02x?}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_walked_through_is_not_plain() {
        let deep = [&[0xa1, 1][..], &[0x81].repeat(MAX_NESTING + 1), &[0]].concat();
        assert!(!is_plain(&deep));
        for header in [
            &[0x80][..],
            &[0xa1],
            &[0xa1, 1],
            &[0xbf, 1, 1],
            &[0xa1, 1, 0x42, 0],
        ] {
            assert!(!is_plain(header), "{header:02x?}");
        }
    }

    #[test]
    fn headers_are_found_behind_tags() {
        let bare = [0x84, 0x42, 0xa1, 1, 0xa0, 0x40, 0x40];
        let found = Some((&bare[2..4], &bare[4..]));
        assert_eq!(headers(&bare), found);
        assert_eq!(headers(&[&[0xd8, 0x3d, 0xd2], &bare[..]].concat()), found);
        assert_eq!(headers(&[0x84, 0x5f, 0x40, 0xff, 0xa0, 0x40, 0x40]), None);
        assert_eq!(headers(&[0x84, 0x42, 0xa1]), None);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let countersignature = Value::Array(vec![
            Value::Bytes(vec![]),
            Value::Map(vec![]),
            Value::Bytes(vec![]),
        ]);
        let leaf = prop_oneof![
            (1..9_i64).prop_map(Value::from),
            Just(countersignature),
            prop::collection::vec(any::<u8>(), 1..9).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array),
                prop::collection::vec((inner.clone(), inner), 0..3).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn agrees_with_coset(values in prop::collection::vec(any_value(), 0..4), seventh in 0..5_usize) {
            let mut labels = [100, 101, 102, 103];
            if let Some(label) = labels.get_mut(seventh) {
                *label = 7;
            }
            let entries = labels.into_iter().map(Value::from).zip(values).collect();
            let mut encoded = Vec::new();
            ciborium::into_writer(&Value::Map(entries), &mut encoded).unwrap();
            if let Ok(header) = coset::Header::from_slice(&encoded) {
                prop_assert_eq!(is_plain(&encoded), header.counter_signatures.is_empty());
            }
        }
    }
}
