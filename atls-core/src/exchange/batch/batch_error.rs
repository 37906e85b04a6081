//! Connections that make no batch.

/// The connections make no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// There are none.
    #[error("batch without connections")]
    Empty,
    /// There are more than 65,536.
    #[error("batch of more than 65,536 connections")]
    TooLarge,
    /// The peer of one of several takes no batches. Attest to it alone.
    #[error("peer of a connection in the batch takes no batches; attest to it alone")]
    Unsuitable,
}
