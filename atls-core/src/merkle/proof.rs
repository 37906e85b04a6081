//! The way from one leaf to the root, and its bytes.

use ciborium::Value;

use super::node_hash::NodeHash;
use crate::bounded::CborLimits;
use crate::limits::MAX_BATCH;

/// Leads from one leaf of a tree to its root (RFC 9162 §2.1.3).
///
/// Deterministic CBOR (RFC 8949 §4.2.1):
///
/// ```text
/// proof = [
///   index: uint,      ; the place of the leaf, from 0
///   size: 2..65536,   ; the leaves of the tree, more than index
///   path: bstr,       ; hashes of 32 bytes each, from the leaf's neighbour up
/// ]
/// ```
///
/// Index and size fix the number of hashes. A value of this type keeps these rules. It holds no root: whoever checks it
/// computes the root from the leaf, and Evidence must carry that.
///
/// ```
/// use atls_core::exchange::batch::{InclusionProof, ProofError};
///
/// let bytes = [&[0x83, 0x01, 0x02, 0x58, 0x20][..], &[7; 32]].concat();
/// let proof = InclusionProof::decode(&bytes)?;
/// assert_eq!((proof.index(), proof.size()), (1, 2));
/// assert_eq!(InclusionProof::decode(&bytes[1..]), Err(ProofError::Malformed));
/// # Ok::<(), ProofError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    index: u32,
    size: u32,
    path: Vec<NodeHash>,
}

impl InclusionProof {
    /// The rules for index, size and number of hashes.
    pub(super) fn new(index: u32, size: u32, path: Vec<NodeHash>) -> Result<Self, ProofError> {
        if !(2..=MAX_BATCH).contains(&size) {
            return Err(ProofError::Size);
        }
        if index >= size {
            return Err(ProofError::Index);
        }
        if path.len() != sides(index, size).len() {
            return Err(ProofError::PathLength);
        }
        Ok(Self { index, size, path })
    }

    /// Reads a proof, with nothing after it.
    ///
    /// # Errors
    /// [`ProofError`] for other bytes, also for another encoding of the same proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > MAX_PROOF {
            return Err(ProofError::Malformed);
        }
        let Ok(Value::Array(fields)) = LIMITS.read(bytes) else {
            return Err(ProofError::Malformed);
        };
        let [
            Value::Integer(index),
            Value::Integer(size),
            Value::Bytes(path),
        ] = &fields[..]
        else {
            return Err(ProofError::Malformed);
        };
        let index = u64::try_from(*index).map_err(|_| ProofError::Malformed)?;
        let size = u64::try_from(*size).map_err(|_| ProofError::Malformed)?;
        let size = u32::try_from(size).map_err(|_| ProofError::Size)?;
        let index = u32::try_from(index).map_err(|_| ProofError::Index)?;
        let (hashes, []) = path.as_chunks() else {
            return Err(ProofError::PathLength);
        };
        let path = hashes.iter().copied().map(NodeHash::from_bytes).collect();
        let proof = Self::new(index, size, path)?;
        // One encoding for one proof: no bytes after it, no longer heads, no bignums.
        if proof.encode() == bytes {
            Ok(proof)
        } else {
            Err(ProofError::Malformed)
        }
    }

    /// The bytes: at most 524, that is 32 for each doubling of the batch and at most 12 more.
    pub fn encode(&self) -> Vec<u8> {
        let path: Vec<u8> = self
            .path
            .iter()
            .flat_map(NodeHash::as_bytes)
            .copied()
            .collect();
        let fields = vec![self.index.into(), self.size.into(), Value::Bytes(path)];
        let mut out = Vec::new();
        // Writing to memory does not fail; bytes that were cut would be refused by whoever reads them.
        let _ = ciborium::into_writer(&Value::Array(fields), &mut out);
        out
    }

    /// The place of the leaf, from 0.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// The number of leaves. The root does not fix it: a tree of another size may lead to the same root by the same path.
    /// Nothing may depend on it.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The root to which this proof leads from the leaf. It is always a node, since a tree has two leaves at least.
    pub(crate) fn root_from(&self, leaf: NodeHash) -> NodeHash {
        let sides = sides(self.index, self.size);
        let steps = sides.iter().rev().zip(&self.path);
        steps.fold(leaf, |below, (side, neighbour)| match side {
            Side::Left => NodeHash::above(below, *neighbour),
            Side::Right => NodeHash::above(*neighbour, below),
        })
    }
}

/// The side on which the leaf stands below a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// The sides on the way from the root to the leaf. RFC 9162 §2.1.1: the left half of a tree is the largest power of two that is
/// less than its size.
pub(super) fn sides(index: u32, size: u32) -> Vec<Side> {
    let mut sides = Vec::new();
    let (mut index, mut size) = (index, size);
    while let Some(left @ 1..) = largest_power_below(size) {
        match (index.checked_sub(left), size.checked_sub(left)) {
            (Some(in_right), Some(right)) => {
                sides.push(Side::Right);
                (index, size) = (in_right, right);
            }
            _ => {
                sides.push(Side::Left);
                size = left;
            }
        }
    }
    sides
}

/// There is none below 1.
fn largest_power_below(size: u32) -> Option<u32> {
    let below = size.checked_sub(1)?;
    1_u32.checked_shl(below.checked_ilog2()?)
}

/// Bytes that are no inclusion proof, or stand where none may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The index is not less than the size.
    #[error("index of the inclusion proof is not less than its size")]
    Index,
    /// The bytes are not the deterministic CBOR of an array of index, size and path, or go on after it.
    #[error("inclusion proof is not deterministic CBOR of index, size and path")]
    Malformed,
    /// The answer says that its Evidence is that of a batch, and is not a collection of that Evidence and one proof in
    /// deterministic CBOR.
    #[error("evidence of a batch is not a collection of the evidence and one inclusion proof")]
    NotOfBatch,
    /// The path has more or fewer hashes than index and size demand, or a piece of one.
    #[error("path of the inclusion proof has another length than its index and size demand")]
    PathLength,
    /// The size is less than 2 or more than 65,536.
    #[error("size of the inclusion proof is not 2 to 65,536")]
    Size,
    /// A proof stands within the Evidence of a batch, or beside Evidence that the answer does not call that of a batch.
    #[error("inclusion proof stands where none is due")]
    Unexpected,
}

/// Most bytes of a proof: 12 beside a path of 16 hashes.
const MAX_PROOF: usize = 524;

/// An array, two integers and a byte string.
const LIMITS: CborLimits = CborLimits {
    items: 4,
    nesting: 2,
};

#[cfg(test)]
impl InclusionProof {
    pub(super) fn path(&self) -> &[NodeHash] {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(index: u32, size: u32, hashes: u8) -> Result<InclusionProof, ProofError> {
        let path = (0..hashes).map(|n| NodeHash::from_bytes([n; 32])).collect();
        InclusionProof::new(index, size, path)
    }

    fn encoded(index: u64, size: u64, path: Vec<u8>) -> Vec<u8> {
        let fields = vec![index.into(), size.into(), Value::Bytes(path)];
        let mut out = Vec::new();
        ciborium::into_writer(&Value::Array(fields), &mut out).unwrap();
        out
    }

    #[test]
    fn survives_the_wire_at_every_width_of_a_head() {
        for (index, size, hashes) in [
            (0, 2, 1),
            (22, 23, 3),
            (24, 25, 2),
            (255, 256, 8),
            (256, 257, 1),
            (65_535, 65_536, 16),
        ] {
            let proof = proof(index, size, hashes).unwrap();
            let bytes = proof.encode();
            assert!(bytes.len() <= MAX_PROOF);
            assert_eq!(InclusionProof::decode(&bytes), Ok(proof));
        }
    }

    #[test]
    fn largest_proof_has_the_largest_length() {
        assert_eq!(proof(65_535, 65_536, 16).unwrap().encode().len(), MAX_PROOF);
    }

    #[test]
    fn every_truncation_and_every_byte_more_is_refused() {
        let bytes = proof(3, 6, 3).unwrap().encode();
        for length in 0..bytes.len() {
            assert!(
                InclusionProof::decode(&bytes[..length]).is_err(),
                "{length}"
            );
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(InclusionProof::decode(&longer), Err(ProofError::Malformed));
    }

    #[test]
    fn an_index_beyond_the_leaves_is_refused() {
        let path = vec![0; 64];
        for (index, size) in [(2, 2), (3, 3), (4, 4), (u64::from(u32::MAX) + 1, 4)] {
            let decoded = InclusionProof::decode(&encoded(index, size, path.clone()));
            assert_eq!(decoded, Err(ProofError::Index), "{index} of {size}");
        }
        assert!(InclusionProof::decode(&encoded(3, 4, path)).is_ok());
    }

    #[test]
    fn a_size_that_no_batch_has_is_refused() {
        for (size, hashes) in [(0, 0), (1, 0), (65_537, 16), (1 << 32, 1)] {
            let decoded = InclusionProof::decode(&encoded(0, size, vec![0; hashes * 32]));
            assert_eq!(decoded, Err(ProofError::Size), "{size}");
        }
    }

    #[test]
    fn a_path_of_another_length_is_refused() {
        for (index, size, due) in [(0, 2, 1), (0, 3, 2), (2, 3, 1), (0, 5, 3), (4, 5, 1)] {
            for hashes in 0..=16 {
                let decoded = InclusionProof::decode(&encoded(index, size, vec![0; hashes * 32]));
                let expected = if hashes == due {
                    Ok(())
                } else {
                    Err(ProofError::PathLength)
                };
                assert_eq!(decoded.map(drop), expected, "{index} of {size}: {hashes}");
            }
            let decoded = InclusionProof::decode(&encoded(index, size, vec![0; due * 32 + 1]));
            assert_eq!(decoded, Err(ProofError::PathLength));
        }
    }

    #[test]
    fn another_encoding_of_the_same_proof_is_refused() {
        let path = [7; 32];
        let with = |start: &[u8]| InclusionProof::decode(&[start, &path[..]].concat()).map(drop);
        assert_eq!(with(&[0x83, 1, 2, 0x58, 32]), Ok(()));
        for other in [
            &[0x83, 0x18, 1, 2, 0x58, 32][..],
            &[0x83, 1, 0x19, 0, 2, 0x58, 32],
            &[0x83, 1, 2, 0x59, 0, 32],
            &[0x98, 3, 1, 2, 0x58, 32],
            &[0x83, 0xc2, 0x41, 1, 2, 0x58, 32],
            &[0xd8, 24, 0x83, 1, 2, 0x58, 32],
            &[0x83, 0xf9, 0x3c, 0, 2, 0x58, 32],
            &[0x83, 0x20, 2, 0x58, 32],
            &[0x82, 2, 0x58, 32],
            &[0x84, 1, 2, 0, 0x58, 32],
            &[0x83, 1, 2, 0x78, 32],
        ] {
            assert_eq!(with(other), Err(ProofError::Malformed), "{other:02x?}");
        }
        let broken = [&[0x9f, 1, 2, 0x58, 32][..], &path, &[0xff]].concat();
        assert_eq!(InclusionProof::decode(&broken), Err(ProofError::Malformed));
        let chunked = [&[0x83, 1, 2, 0x5f, 0x58, 32][..], &path, &[0xff]].concat();
        assert_eq!(InclusionProof::decode(&chunked), Err(ProofError::Malformed));
    }
}
