//! Numbers about a cache, for its operator.

use crate::error::CollateralError;

/// What a [`refresh`](crate::Cache::refresh) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refreshed {
    /// Pieces that were fetched.
    pub renewed: usize,
    /// Keys that could not be, and why; those that still have fresh contents go on having them.
    pub failed: Vec<(String, CollateralError)>,
}

/// Numbers for an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Pieces in memory.
    pub kept: usize,
    /// Fetches that went out.
    pub fetches: u64,
    /// Fetches that came to nothing, and contents that were rejected.
    pub failures: u64,
    /// Files that could not be written: the disk is full, or not ours.
    pub disk_failures: u64,
}
