//! Bounds of a cache, and its rule for expired pieces.

use std::time::Duration;

/// Bounds of a [`Cache`](crate::Cache), for each [`Kind`](crate::Kind) apart. Start from the default and change single fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Pieces in memory; the longest unused one makes room. 1024.
    pub max_keys: usize,
    /// Bytes of one piece. 1 MiB: the largest revocation list of a maker has a few hundred KiB.
    pub max_bytes: usize,
    /// Files in the directory, if there is one; the longest unused ones make room at each [`refresh`](crate::Cache::refresh).
    /// Without refresh, there are at most twice as many files of devices. 4096.
    pub max_files: usize,
    /// Fetches under way at once; a further one is refused with [`NotSent::Busy`](atls_core::http::NotSent::Busy). 16.
    pub max_fetches: usize,
    /// Fetches in a burst after a quiet time; one more is refused with
    /// [`NotSent::TooOften`](atls_core::http::NotSent::TooOften). 64.
    pub burst: u32,
    /// The interval between fetches after a burst, in whole seconds. 1 s.
    pub interval: Duration,
    /// The pause after a failed fetch of a key, doubled with each failure, in whole seconds. 2 s.
    pub first_pause: Duration,
    /// The longest such pause. 5 min.
    pub longest_pause: Duration,
    /// A piece that expires within this time is due for renewal, or within the last quarter of its validity where that is
    /// shorter. 24 h.
    pub refresh_ahead: Duration,
    /// A [published](crate::Kind::Published) piece of this age is due for renewal, however long it is valid: a revocation that
    /// was published meanwhile is seen then. 6 h.
    pub refresh_after: Duration,
    /// How often [`keep_fresh`](crate::Cache::keep_fresh) looks for due pieces. When no task has looked for twice this time,
    /// the callers renew old pieces. 15 min.
    pub refresh_every: Duration,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            max_keys: 1024,
            max_bytes: 1024 * 1024,
            max_files: 4096,
            max_fetches: 16,
            burst: 64,
            interval: Duration::from_secs(1),
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(5 * 60),
            refresh_ahead: Duration::from_secs(24 * 60 * 60),
            refresh_after: Duration::from_secs(6 * 60 * 60),
            refresh_every: Duration::from_secs(15 * 60),
        }
    }
}

/// The rule for expired collateral whose maker cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StalePolicy {
    grace: Duration,
}

impl StalePolicy {
    /// Refuses peers. The default.
    pub fn refuse() -> Self {
        Self::default()
    }

    /// Uses expired pieces for this much longer, at most [`MAX_GRACE`], while their maker is
    /// [out](crate::CollateralError::is_outage).
    ///
    /// **An attacker who keeps this end from the maker, by dropping packets, undoes a revocation for as long.** Contents that
    /// cannot be read or went backwards are never used.
    pub fn dangerous_while_unreachable(grace: Duration) -> Self {
        Self {
            grace: grace.min(MAX_GRACE),
        }
    }

    pub(crate) fn grace(self) -> Duration {
        self.grace
    }
}

/// The choices of the application.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) limits: CacheLimits,
    pub(crate) stale: StalePolicy,
    pub(crate) seed: u64,
}

/// The longest use beyond the validity: 7 days. A longer grace is cut to it.
pub const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Bytes of the longest key: with its suffix it is the name of a file.
pub const MAX_KEY: usize = 200;
