//! Many connections that share Evidence.
//!
//! A device that is slow makes Evidence once for all connections that wait for it. The Evidence carries the root of a Merkle tree
//! ([RFC 9162 §2.1](https://www.rfc-editor.org/rfc/rfc9162#section-2.1)), whose leaves are the binders of the connections. Each
//! connection is answered with that Evidence and its own [`InclusionProof`]. The relying party computes the root from its own
//! binder, so the Evidence is bound to its connection as firmly as Evidence over the binder itself.
//!
//! [`Batch`] is the attester's part. `atls_tower::Batcher` decides which connections make a batch. The relying party's part is
//! in [`Pending::finish`](crate::exchange::Pending::finish): it takes the proof away, and verifiers see the Evidence alone.

mod batch_error;
mod batches;
mod members;

pub use crate::merkle::InclusionProof;
pub use crate::merkle::ProofError;
pub use batch_error::BatchError;
pub use batches::Batches;
pub use members::Batch;
