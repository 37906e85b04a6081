//! The hash of a leaf or of a node.

use sha2::Digest;
use sha2::Sha256;

/// A hash in a tree, 32 bytes (RFC 9162 §2.1.1).
///
/// ```text
/// leaf = SHA-256(0x00 || value)
/// node = SHA-256(0x01 || left || right)
/// ```
///
/// The first byte keeps the two apart: no leaf passes for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NodeHash([u8; 32]);

impl NodeHash {
    pub(crate) fn of_leaf(value: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update([LEAF]);
        hash.update(value);
        Self(hash.finalize().into())
    }

    pub(super) fn above(left: Self, right: Self) -> Self {
        let mut hash = Sha256::new();
        hash.update([NODE]);
        hash.update(left.0);
        hash.update(right.0);
        Self(hash.finalize().into())
    }

    pub(super) fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

/// Bytes of a SHA-256.
const LENGTH: usize = 32;

const LEAF: u8 = 0;
const NODE: u8 = 1;
