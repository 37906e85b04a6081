//! The failure of a forger.

/// The system has no randomness, or a time is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("platform cannot be forged")]
#[non_exhaustive]
pub struct ForgeError;
