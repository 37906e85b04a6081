//! CBOR of a peer (RFC 8949): one item within limits, and nothing after it.

use serde::de::DeserializeOwned;

use super::cbor;

/// The limits of one item of CBOR, and the reader that keeps them.
///
/// ```
/// # use atls_core::bounded::CborError;
/// # use atls_core::bounded::CborLimits;
/// const LIMITS: CborLimits = CborLimits { items: 4, nesting: 2 };
/// // ["a", "b"], the same with one more, the same with a byte after it.
/// let read: Result<Vec<String>, _> = LIMITS.read(&[0x82, 0x61, b'a', 0x61, b'b']);
/// assert_eq!(read, Ok(vec!["a".to_owned(), "b".to_owned()]));
/// let read: Result<Vec<u8>, _> = LIMITS.read(&[0x84, 1, 2, 3, 4]);
/// assert_eq!(read, Err(CborError::TooMany));
/// let read: Result<Vec<u8>, _> = LIMITS.read(&[0x82, 1, 2, 0]);
/// assert_eq!(read, Err(CborError::Malformed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "items are bounded in number and in depth"
)]
pub struct CborLimits {
    /// Most data items. Keys, tags and the chunks of a string are items.
    pub items: usize,
    /// Deepest nesting of arrays, maps and tags, as ciborium counts it.
    pub nesting: usize,
}

impl CborLimits {
    /// Reads one item. Memory is allocated by what was read, never by a length that the bytes claim.
    ///
    /// # Errors
    /// [`CborError`]
    pub fn read<T: DeserializeOwned>(self, encoded: &[u8]) -> Result<T, CborError> {
        if !cbor(self.items, encoded) {
            return Err(CborError::TooMany);
        }
        let mut rest = encoded;
        let read = ciborium::de::from_reader_with_recursion_limit(&mut rest, self.nesting);
        match (read, rest) {
            (Ok(item), []) => Ok(item),
            _ => Err(CborError::Malformed),
        }
    }
}

/// Bytes that are not read as CBOR. The cure is with their writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CborError {
    /// They are not well-formed, are of another type, nest too deep, or go on after the item.
    #[error("malformed CBOR")]
    Malformed,
    /// They hold more data items than the limit.
    #[error("too many items of CBOR")]
    TooMany,
}

#[cfg(test)]
mod tests {
    use ciborium::Value;

    use super::*;

    const LIMITS: CborLimits = CborLimits {
        items: 4,
        nesting: 3,
    };

    fn read(encoded: &[u8]) -> Result<Value, CborError> {
        LIMITS.read(encoded)
    }

    #[test]
    fn items_and_nesting_are_bounded() {
        assert!(read(&[0x83, 1, 2, 3]).is_ok());
        assert_eq!(read(&[0x84, 1, 2, 3, 4]), Err(CborError::TooMany));
        assert!(read(&[0x81, 0x81, 0x81, 0]).is_ok());
        assert_eq!(read(&[0x81, 0x81, 0x81, 0x81, 0]), Err(CborError::TooMany));
        let deep = CborLimits {
            items: 16,
            ..LIMITS
        };
        let read: Result<Value, _> = deep.read(&[0x81, 0x81, 0x81, 0x81, 0]);
        assert_eq!(read, Err(CborError::Malformed));
    }

    #[test]
    fn every_truncation_and_anything_behind_is_refused() {
        let encoded = [0x82, 0x42, 1, 2, 0x19, 1, 0];
        assert!(read(&encoded).is_ok());
        for length in 0..encoded.len() {
            assert_eq!(read(&encoded[..length]), Err(CborError::Malformed));
        }
        assert_eq!(
            read(&[&encoded[..], &[0]].concat()),
            Err(CborError::Malformed)
        );
    }
}
