//! Merkle trees of RFC 9162 §2.1 with SHA-256.
//!
//! A tree has one root over 2 to 65,536 leaves. For each leaf there is an [`InclusionProof`], which leads from the leaf to the
//! root.

mod node_hash;
mod proof;
mod tree;

pub use proof::InclusionProof;
pub use proof::ProofError;

pub(crate) use node_hash::NodeHash;
pub(crate) use tree::Tree;
