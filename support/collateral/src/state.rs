//! The changing part of a cache: its pieces, failures and fetches, and counts of them.

use std::task::Waker;
use std::time::Duration;

use crate::error::CollateralError;
use crate::fetch::Kind;
use crate::limits::CacheLimits;
use crate::limits::Settings;
use crate::moment::Moment;
use crate::pace::Failure;
use crate::pace::Pauses;
use crate::shelf::Shelf;
use crate::shelf::Shelves;
use crate::stats::Stats;

pub(crate) struct State {
    pub(crate) shelves: Shelves,
    /// The number of the last flight.
    pub(crate) last_flight: u64,
    /// The last renewal in the background.
    pub(crate) refreshed_at: Option<Moment>,
    /// The task that polls flights to their end.
    pub(crate) driver: Option<Waker>,
    stats: Stats,
}

impl State {
    pub(crate) fn new(limits: &CacheLimits) -> Self {
        Self {
            shelves: Shelves::new(limits),
            last_flight: 0,
            refreshed_at: None,
            driver: None,
            stats: Stats::default(),
        }
    }

    pub(crate) fn fail(
        &mut self,
        settings: &Settings,
        (key, kind): (&str, Kind),
        error: CollateralError,
        at: Moment,
    ) {
        let pauses = Pauses {
            limits: &settings.limits,
            key,
            seed: settings.seed,
        };
        let failures = &mut self.shelves.of(kind).failures;
        let failure = Failure::after(failures.peek(key), error, at, pauses);
        failures.push(key.to_owned(), failure);
        self.stats.failures = self.stats.failures.saturating_add(1);
    }

    /// The number of the next flight.
    pub(crate) fn count_fetch(&mut self) -> u64 {
        self.stats.fetches = self.stats.fetches.saturating_add(1);
        self.last_flight = self.last_flight.wrapping_add(1);
        self.last_flight
    }

    pub(crate) fn count_disk_failure(&mut self) {
        self.stats.disk_failures = self.stats.disk_failures.saturating_add(1);
    }

    /// Whether a background task renews, so that users of a piece need not.
    pub(crate) fn is_attended(&self, limits: &CacheLimits, at: Moment) -> bool {
        let seldom = limits.refresh_every.saturating_mul(2);
        self.refreshed_at.is_some_and(|then| {
            let by_clock = then.clock.as_secs().abs_diff(at.clock.as_secs());
            let passed = at.steady.saturating_sub(then.steady);
            Duration::from_secs(by_clock).max(passed) <= seldom
        })
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            kept: self.shelves.iter().map(Shelf::kept).sum(),
            ..self.stats
        }
    }
}
