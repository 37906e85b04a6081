//! What a cache may hold and do.

use std::time::Duration;

/// Bounds of a [`Cache`](crate::Cache), each for every [`Kind`](crate::Kind) apart. Start from the default and change what
/// needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Pieces in memory; the one that was not used for longest makes room. 1024.
    pub max_keys: usize,
    /// Bytes of one piece. 1 MiB: the largest revocation list of a maker has a few hundred KiB.
    pub max_bytes: usize,
    /// Files in the directory, if there is one; those that were not read or written for longest make room, at each
    /// [`refresh`](crate::Cache::refresh). Where nobody refreshes, there are at most twice as many devices'. 4096.
    pub max_files: usize,
    /// Fetches under way at once; a further one is refused with [`NotSent::Busy`](atls_core::http::NotSent::Busy). 16.
    pub max_fetches: usize,
    /// Fetches that may go out at once after a quiet time; one more with [`NotSent::TooOften`](atls_core::http::NotSent::TooOften).
    /// 64.
    pub burst: u32,
    /// After a burst, one fetch in this time, in whole seconds. 1 s.
    pub interval: Duration,
    /// For so long, a key whose fetch failed is not fetched again; doubled with each failure, in whole seconds. 2 s.
    pub first_pause: Duration,
    /// The longest such pause. 5 min.
    pub longest_pause: Duration,
    /// What expires within this time is due for renewal, or within the last quarter of its validity where that is
    /// shorter. 24 h.
    pub refresh_ahead: Duration,
    /// What is [published](crate::Kind::Published) is due for renewal when it was fetched so long ago, however long it is
    /// valid: a revocation that was published meanwhile is seen then. 6 h.
    pub refresh_after: Duration,
    /// How often [`keep_fresh`](crate::Cache::keep_fresh) looks for what is due. Where nobody has for twice this time,
    /// who uses what is that old renews it. 15 min.
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

/// What happens when collateral has expired and its maker cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StalePolicy {
    grace: Duration,
}

impl StalePolicy {
    /// Peers are refused. The default.
    pub fn refuse() -> Self {
        Self::default()
    }

    /// What has expired is used for this much longer, at most [`MAX_GRACE`], while its maker is
    /// [out](crate::CollateralError::is_outage).
    ///
    /// **Who keeps this end from reaching the maker, for which it is enough to drop packets, undoes a revocation for as
    /// long.** It is never done for contents that cannot be read or went backwards.
    pub fn dangerous_while_unreachable(grace: Duration) -> Self {
        Self {
            grace: grace.min(MAX_GRACE),
        }
    }

    pub(crate) fn grace(self) -> Duration {
        self.grace
    }
}

/// What the application chose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) limits: CacheLimits,
    pub(crate) stale: StalePolicy,
    pub(crate) seed: u64,
}

/// The longest time that collateral is used beyond its validity, whatever is asked for: 7 days.
pub const MAX_GRACE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Bytes of the longest key: with what is added it is the name of a file.
pub const MAX_KEY: usize = 200;
