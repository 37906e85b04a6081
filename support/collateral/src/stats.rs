//! Numbers about a cache, for its operator.

use crate::error::CollateralError;

/// The outcome of a [`refresh`](crate::Cache::refresh).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refreshed {
    /// Renewed pieces.
    pub renewed: usize,
    /// Keys that were not renewed, and why. Fresh pieces of theirs stay in use.
    pub failed: Vec<(String, CollateralError)>,
}

/// Numbers for an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Pieces in memory.
    pub kept: usize,
    /// Fetches that were started.
    pub fetches: u64,
    /// Fetches that failed, and rejected contents.
    pub failures: u64,
    /// Files that were not written: the disk is full, or belongs to another user.
    pub disk_failures: u64,
}
