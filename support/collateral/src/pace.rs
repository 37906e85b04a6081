//! The rate of fetches, and the pauses after failures. Times are those of the callers, which may come out of order by a little. A clock that
//! is set back, or stands still, must not hold a fetch for longer than a pause: whichever clock goes faster counts.

use std::hash::DefaultHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::time::Duration;

use crate::error::CollateralError;
use crate::limits::CacheLimits;
use crate::moment::Moment;

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: u32,
    filled_at: u64,
    /// The same, by the clock that is never set.
    filled_steady: u64,
}

impl Bucket {
    pub(crate) fn full(limits: &CacheLimits) -> Self {
        Self {
            tokens: limits.burst,
            filled_at: 0,
            filled_steady: 0,
        }
    }

    /// Whether one more fetch may go out now; if so, it is counted.
    pub(crate) fn take(&mut self, limits: &CacheLimits, at: Moment) -> bool {
        let (now, steady) = (at.clock.as_secs(), at.steady.as_secs());
        let interval = limits.interval.as_secs().max(1);
        // Filling goes on from there when the clock was set back.
        self.filled_at = self.filled_at.min(now);
        self.filled_steady = self.filled_steady.min(steady);
        let since = now.saturating_sub(self.filled_at);
        let since = since.max(steady.saturating_sub(self.filled_steady));
        let intervals = since.checked_div(interval).unwrap_or(0);
        let filled = u32::try_from(intervals).unwrap_or(u32::MAX);
        self.tokens = self.tokens.saturating_add(filled).min(limits.burst);
        let spent = intervals.saturating_mul(interval);
        self.filled_at = self.filled_at.saturating_add(spent);
        self.filled_steady = self.filled_steady.saturating_add(spent);
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

/// The memory of a key whose fetch or contents failed.
#[derive(Debug)]
pub(crate) struct Failure {
    error: CollateralError,
    failed: Moment,
    pause: Duration,
    times: u32,
}

impl Failure {
    /// The failure after `earlier`, which counts unless it was long ago.
    pub(crate) fn after(
        earlier: Option<&Self>,
        error: CollateralError,
        at: Moment,
        pauses: Pauses<'_>,
    ) -> Self {
        let now = at.clock.as_secs();
        let forgotten = pauses.limits.longest_pause.as_secs().saturating_mul(2);
        let times = match earlier {
            Some(earlier) if now.abs_diff(earlier.failed.clock.as_secs()) <= forgotten => {
                earlier.times.saturating_add(1)
            }
            _ => 1,
        };
        Self {
            error,
            failed: at,
            pause: pauses.after(times),
            times,
        }
    }

    /// The error that keeps it from being fetched now.
    pub(crate) fn holds(&self, at: Moment) -> Option<&CollateralError> {
        let passed = at.after(self.failed).as_secs();
        let passed = passed.saturating_sub(self.failed.clock.as_secs());
        let is_paused = self.failed.clock <= at.clock && passed < self.pause.as_secs();
        is_paused.then_some(&self.error)
    }

    /// Ends the pause after a fetch. Another failure soon after still counts as one more.
    pub(crate) fn release(&mut self) {
        self.pause = Duration::ZERO;
    }
}

/// The pauses of one key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses<'a> {
    pub(crate) limits: &'a CacheLimits,
    pub(crate) key: &'a str,
    /// Spreads the returns of a fleet.
    pub(crate) seed: u64,
}

impl Pauses<'_> {
    /// Doubled each time, plus up to half of it by key and seed; at most the longest pause.
    fn after(&self, times: u32) -> Duration {
        let first = self.limits.first_pause.as_secs().max(1);
        let doublings = times.saturating_sub(1).min(32);
        let pause = first.saturating_mul(1_u64.checked_shl(doublings).unwrap_or(u64::MAX));
        let mut hasher = DefaultHasher::new();
        (self.seed, self.key, times).hash(&mut hasher);
        let jitter = hasher.finish().checked_rem((pause / 2).saturating_add(1));
        let pause = pause.saturating_add(jitter.unwrap_or(0));
        Duration::from_secs(pause).min(self.limits.longest_pause)
    }
}

#[cfg(test)]
mod tests {
    use atls_core::pki_types::UnixTime;

    use super::*;

    /// By a steady clock that does not go.
    fn at(seconds: u64) -> Moment {
        Moment {
            clock: UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            steady: Duration::ZERO,
        }
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_one_in_each_interval() {
        let limits = CacheLimits {
            burst: 3,
            interval: Duration::from_secs(10),
            ..CacheLimits::default()
        };
        let mut bucket = Bucket::full(&limits);
        let taken =
            |bucket: &mut Bucket, now| (0..9).filter(|_| bucket.take(&limits, at(now))).count();
        assert_eq!(taken(&mut bucket, 1000), 3);
        assert_eq!(taken(&mut bucket, 1009), 0);
        assert_eq!(taken(&mut bucket, 1010), 1);
        assert_eq!(taken(&mut bucket, 1029), 1);
        assert_eq!(taken(&mut bucket, 1030), 1);
        assert_eq!(taken(&mut bucket, 9000), 3);
        // Set back: the clock gains no token and blocks none for ever.
        assert_eq!(taken(&mut bucket, 500), 0);
        assert_eq!(taken(&mut bucket, 510), 1);
        assert_eq!(taken(&mut bucket, u64::MAX), 3);
    }

    #[test]
    fn pauses_double_with_jitter_up_to_the_longest() {
        let limits = CacheLimits::default();
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let pauses = Pauses {
                limits: &limits,
                key: "a",
                seed,
            };
            for (times, least, most) in [(1, 2, 3), (2, 4, 6), (3, 8, 12), (7, 128, 192)] {
                let pause = pauses.after(times).as_secs();
                assert!((least..=most).contains(&pause), "{times}: {pause}");
            }
            seen.insert(pauses.after(7));
            for times in [9, 33, 64, u32::MAX] {
                assert_eq!(pauses.after(times), limits.longest_pause);
            }
        }
        assert!(seen.len() > 10);
    }

    #[test]
    fn a_failure_holds_until_its_pause_is_over() {
        let limits = CacheLimits::default();
        let pauses = Pauses {
            limits: &limits,
            key: "a",
            seed: 0,
        };
        let fail = |earlier: Option<&Failure>, now| {
            Failure::after(earlier, CollateralError::Status(500), at(now), pauses)
        };
        let first = fail(None, 1000);
        assert!(first.holds(at(1001)).is_some());
        assert!(first.holds(at(1003)).is_none());
        // A clock that was set back blocks nothing.
        assert!(first.holds(at(900)).is_none());
        let second = fail(Some(&first), 1003);
        assert!(second.holds(at(1006)).is_some());
        let long_after = fail(Some(&second), 9000);
        assert!(long_after.holds(at(9003)).is_none());
    }
}
