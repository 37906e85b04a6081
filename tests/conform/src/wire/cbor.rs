//! CBOR (RFC 8949) as it lies there: what a decoder hides is seen here.

use ciborium::Value;

/// The shape of one data item, and what of it no decoder shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Bytes of the item.
    pub length: usize,
    /// Items, keys and tags included.
    pub values: usize,
    /// Arrays, maps and tags within each other.
    pub depth: usize,
    pub has_bignum: bool,
    /// A length is left open, or a head is longer than it need be.
    pub is_loose: bool,
}

/// The shape of the first item; `None` where it is cut or malformed.
pub fn shape(bytes: &[u8]) -> Option<Shape> {
    let mut shape = Shape::default();
    let mut at = 0_usize;
    // The items that are still due in each container around the place; `None` up to a break.
    let mut due: Vec<Option<u64>> = vec![Some(1)];
    while let Some(level) = due.last_mut() {
        match level {
            Some(0) => {
                due.pop();
                continue;
            }
            Some(left) => *left = left.saturating_sub(1),
            None if bytes.get(at) == Some(&0xff) => {
                at = at.checked_add(1)?;
                due.pop();
                continue;
            }
            None => {}
        }
        let (major, argument, after) = head(bytes.get(at..)?, &mut shape)?;
        shape.values = shape.values.checked_add(1)?;
        at = at.checked_add(after)?;
        match (major, argument) {
            (0 | 1 | 7, _) => {}
            (2 | 3, Some(length)) => {
                at = at.checked_add(usize::try_from(length).ok()?)?;
                bytes.get(..at)?;
            }
            (2..=5, None) => due.push(None),
            (4, Some(items)) => due.push(Some(items)),
            (5, Some(pairs)) => due.push(Some(pairs.checked_mul(2)?)),
            (6, Some(tag)) => {
                shape.has_bignum |= tag == 2 || tag == 3;
                due.push(Some(1));
            }
            _ => return None,
        }
        shape.depth = shape.depth.max(due.len().saturating_sub(1));
        if due.len() > MOST_NESTING || shape.values > bytes.len() {
            return None;
        }
    }
    shape.length = at;
    Some(shape)
}

/// Major type, argument, and the bytes of both.
fn head(bytes: &[u8], shape: &mut Shape) -> Option<(u8, Option<u64>, usize)> {
    let (first, rest) = bytes.split_first()?;
    let (major, low) = (first >> 5, first & 31);
    let (argument, length, least) = match low {
        0..=23 => return Some((major, Some(u64::from(low)), 1)),
        24 => (u64::from(*rest.first()?), 2, 24),
        25 => (
            u64::from(u16::from_be_bytes(*rest.first_chunk()?)),
            3,
            1 << 8,
        ),
        26 => (
            u64::from(u32::from_be_bytes(*rest.first_chunk()?)),
            5,
            1 << 16,
        ),
        27 => (u64::from_be_bytes(*rest.first_chunk()?), 9, 1 << 32),
        31 => {
            shape.is_loose = true;
            return Some((major, None, 1));
        }
        _ => return None,
    };
    shape.is_loose |= major != 7 && argument < least;
    Some((major, Some(argument), length))
}

/// One item, and the bytes after it.
pub fn read(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let (item, rest) = bytes.split_at_checked(shape(bytes)?.length)?;
    let value = ciborium::de::from_reader_with_recursion_limit(item, MOST_NESTING).ok()?;
    Some((value, rest))
}

pub fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = ciborium::into_writer(value, &mut out);
    out
}

pub fn unsigned(value: &Value) -> Option<u64> {
    u64::try_from(value.as_integer()?).ok()
}

/// An unsigned integer of one byte as a bignum.
pub fn bignum(value: u8) -> Value {
    Value::Tag(2, Box::new(Value::Bytes(vec![value])))
}

const MOST_NESTING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_what_a_decoder_hides() {
        let of = |bytes: &[u8]| shape(bytes).unwrap();
        assert!(of(&[0xc2, 0x41, 1]).has_bignum);
        assert!(of(&[0x9f, 1, 0xff]).is_loose);
        assert!(of(&[0x18, 1]).is_loose);
        let plain = of(&[0x82, 1, 0x81, 2, 9]);
        assert_eq!((plain.length, plain.values, plain.depth), (4, 4, 2));
        assert!(!plain.is_loose && !plain.has_bignum);
        assert!(shape(&[0x82, 1]).is_none());
        assert!(shape(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_none());
        assert!(shape(&[0x81; 100]).is_none());
    }
}
