//! Whether Evidence may be that of a batch.

/// Tells whether the peer understands Evidence of a [`Batch`](crate::exchange::batch::Batch), or whether an answer is such Evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "yes or no, by name")]
pub enum Batches {
    /// Evidence is of one connection, and has no inclusion proof beside it.
    No,
    /// Evidence may be of many connections, each with its own inclusion proof.
    Yes,
}
