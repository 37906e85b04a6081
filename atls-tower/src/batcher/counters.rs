//! The counters of a batcher, for operators.

use std::time::Duration;

/// The work of a [`Batcher`](super::Batcher) since it was made, and the number of those that wait now.
///
/// `device_time` by `batches + singles` is the time that the device takes; `waited` by `connections + failed` is the mean wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatcherStats {
    /// Times that the device worked for several connections together.
    pub batches: u64,
    /// Times that the device worked for one connection.
    pub singles: u64,
    /// Connections for which it made Evidence.
    pub connections: u64,
    /// Connections that the largest batch had.
    pub largest: usize,
    /// Connections that failed since the device did: it gave an error, panicked, or gave nothing by its deadline.
    pub failed: u64,
    /// Connections that were refused since a queue was full.
    pub refused: u64,
    /// Connections that went away before the device began to work for them.
    pub abandoned: u64,
    /// Connections that wait now.
    pub waiting: usize,
    /// The time that the device worked.
    pub device_time: Duration,
    /// The time that connections waited until the device began to work for them, all together.
    pub waited: Duration,
}
