//! What the cache holds, and the fetches under way.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_core::http::HttpError;
use atls_core::http::NotSent;
use atls_core::pki_types::UnixTime;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::CollateralError;
use crate::Fetch;
use crate::Fetched;
use crate::Kind;
use crate::cache::Stats;
use crate::disk::Disk;
use crate::disk::Named;
use crate::entry::Entry;
use crate::entry::Origin;
use crate::flight::Flight;
use crate::flight::Landing;
use crate::flight::Outcome;
use crate::flight::Waiting;
use crate::limits::CacheLimits;
use crate::limits::StalePolicy;
use crate::pace::Failure;
use crate::pace::Pauses;
use crate::shelf::Shelf;
use crate::shelf::Shelves;

pub(crate) struct Store<F> {
    pub(crate) fetch: Arc<F>,
    pub(crate) settings: Settings,
    disk: Option<Disk>,
    state: Mutex<State>,
}

/// What the application chose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) limits: CacheLimits,
    pub(crate) stale: StalePolicy,
    pub(crate) seed: u64,
}

pub(crate) struct State {
    pub(crate) shelves: Shelves,
    /// Counts flights.
    last_flight: u64,
    /// When somebody renewed in the background.
    refreshed_at: Option<UnixTime>,
    /// Of who sees flights to their end.
    driver: Option<Waker>,
    stats: Stats,
}

impl State {
    /// Whether somebody renews in the background, so that who uses a piece need not.
    fn is_attended(&self, limits: &CacheLimits, now: UnixTime) -> bool {
        let seldom = limits.refresh_every.as_secs().saturating_mul(2);
        self.refreshed_at
            .is_some_and(|at| at.as_secs().abs_diff(now.as_secs()) <= seldom)
    }
}

/// Why a piece is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To renew it where that is due.
    Renew,
    /// To use it.
    Use,
}

/// What there is to do for one key.
pub(crate) enum Next {
    Have(Fetched),
    Refused(CollateralError),
    /// What is at hand serves while somebody renews it.
    Underway(Fetched, Waiting),
    Wait(Waiting),
}

impl<F: Fetch + 'static> Store<F> {
    pub(crate) fn new(fetch: F, settings: Settings, disk: Option<Disk>) -> Self {
        Self {
            fetch: Arc::new(fetch),
            settings,
            disk,
            state: Mutex::new(State {
                shelves: Shelves::new(&settings.limits),
                last_flight: 0,
                refreshed_at: None,
                driver: None,
                stats: Stats::default(),
            }),
        }
    }

    /// What there is to do, decided in one step: of many who ask at once, one starts the fetch.
    pub(crate) fn next(self: &Arc<Self>, key: &str, now: UnixTime, purpose: Purpose) -> Next {
        let limits = &self.settings.limits;
        let kind = self.kind(key);
        // Flights lock the state when they are dropped, so these outlive the lock.
        let (mut lost, mut displaced) = (None, None);
        let mut state = self.state();
        let is_attended = state.is_attended(limits, now);
        let shelf = state.shelves.of(kind);
        let mut serves = None;
        if let Some(entry) = shelf.entries.get(key) {
            let fetched = entry.fetched.clone();
            let waits = match purpose {
                Purpose::Renew => entry.is_due(limits, kind, now),
                Purpose::Use if entry.is_fresh(now) => {
                    serves = Some(fetched.clone());
                    !is_attended && entry.is_old(limits, kind, now)
                }
                Purpose::Use => true,
            };
            if !waits {
                return Next::Have(fetched);
            }
        }
        match shelf.flights.get(key) {
            Some(flight) if flight.is_lost(now) => lost = shelf.flights.remove(key),
            Some(flight) => {
                let flight = flight.future.clone();
                return match serves {
                    Some(fetched) => Next::Underway(fetched, flight),
                    None => Next::Wait(flight),
                };
            }
            None => {}
        }
        let failure = shelf.failures.get(key);
        if let Some(error) = failure.and_then(|failure| failure.holds(now.as_secs())) {
            return Next::Refused(error.clone());
        }
        let is_full = shelf.flights.len() >= limits.max_fetches;
        if is_full && !shelf.flights.values().any(Flight::is_abandoned) {
            return Next::Refused(HttpError::NotSent(NotSent::Busy).into());
        }
        if !shelf.bucket.take(limits, now.as_secs()) {
            return Next::Refused(HttpError::NotSent(NotSent::TooOften).into());
        }
        if is_full {
            displaced = shelf.first_abandoned();
        }
        let number = state.last_flight.wrapping_add(1);
        state.last_flight = number;
        state.stats.fetches = state.stats.fetches.saturating_add(1);
        let landing = Landing {
            store: Arc::downgrade(self),
            key: key.to_owned(),
            kind,
            number,
            started_at: now,
            has_landed: false,
        };
        let flight = Flight::start(Arc::clone(&self.fetch), landing);
        let future = flight.future.clone();
        let shelf = state.shelves.of(kind);
        shelf.flights.insert(key.to_owned(), flight);
        let driver = state.driver.take();
        drop(state);
        drop((lost, displaced));
        if let Some(driver) = driver {
            driver.wake();
        }
        Next::Wait(future)
    }

    /// Sees every flight to its end, whoever started it and whether anybody waits.
    pub(crate) async fn drive(&self) -> Infallible {
        let mut flights = FuturesUnordered::new();
        let mut last = 0;
        poll_fn(|cx| {
            let mut state = self.state();
            let fresh = state
                .shelves
                .flights()
                .filter(|flight| flight.number > last);
            flights.extend(fresh.map(|flight| flight.future.clone()));
            last = state.last_flight;
            let driver = state.driver.replace(cx.waker().clone());
            drop(state);
            drop(driver);
            while let Poll::Ready(Some(_)) = flights.poll_next_unpin(cx) {}
            Poll::Pending
        })
        .await
    }

    /// Flights that nobody waits for, to be waited for.
    pub(crate) fn abandoned(&self, now: UnixTime) -> Vec<Waiting> {
        let state = self.state();
        let flights = state.shelves.flights();
        flights
            .filter(|flight| flight.is_abandoned() && !flight.is_lost(now))
            .map(|flight| flight.future.clone())
            .collect()
    }

    /// Somebody renews in the background.
    pub(crate) fn attend(&self, now: UnixTime) {
        self.state().refreshed_at = Some(now);
    }

    /// Brings a piece from disk to memory, where it is not there.
    pub(crate) fn load(&self, key: &str, now: UnixTime) {
        let Some(disk) = &self.disk else { return };
        let kind = self.kind(key);
        if self.state().shelves.of(kind).entries.contains(key) {
            return;
        }
        let Some(kept) = disk.load(key, &self.settings.limits, now) else {
            return;
        };
        // Nothing else of the file is believed. One that cannot be read stays until there is a better one: it may be the
        // clock that is wrong.
        let Ok(fetched) = self.fetch.read(key, kept.bytes, now) else {
            return;
        };
        let entry = Entry {
            fetched: fetched.unextended(),
            // Of the future it would never be old.
            fetched_at: Some(kept.fetched_at)
                .filter(|at| *at <= now)
                .unwrap_or(UnixTime::since_unix_epoch(Duration::ZERO)),
            origin: Origin::Disk,
        };
        let mut state = self.state();
        let shelf = state.shelves.of(kind);
        if !shelf.entries.contains(key) {
            shelf.entries.push(key.to_owned(), entry);
        }
    }

    /// A fetch has ended.
    pub(crate) fn land(
        &self,
        key: &str,
        now: UnixTime,
        outcome: Result<Fetched, CollateralError>,
    ) -> Result<Fetched, CollateralError> {
        let kind = self.kind(key);
        let outcome = outcome.and_then(|fetched| self.accept(key, now, fetched));
        let mut state = self.state();
        let entry = match outcome {
            Ok(entry) => entry,
            Err(error) => {
                self.fail(&mut state, (key, kind), error.clone(), now);
                return Err(error);
            }
        };
        let shelf = state.shelves.of(kind);
        if let Some(later) = shelf.entries.peek(key)
            && later.fetched_at > now
        {
            // That one of them was long under way.
            return Ok(later.fetched.clone());
        }
        shelf.entries.push(key.to_owned(), entry.clone());
        if let Some(failure) = shelf.failures.get_mut(key) {
            failure.release();
        }
        drop(state);
        let stored = self
            .disk
            .as_ref()
            .map(|disk| disk.store(&Named { key, kind }, &entry, &self.settings.limits));
        if let Some(Err(_)) = stored {
            let stats = &mut self.state().stats;
            stats.disk_failures = stats.disk_failures.saturating_add(1);
        }
        Ok(entry.fetched)
    }

    fn accept(&self, key: &str, now: UnixTime, fetched: Fetched) -> Result<Entry, CollateralError> {
        if fetched.bytes.len() > self.settings.limits.max_bytes {
            return Err(HttpError::TooLarge.into());
        }
        let entry = Entry {
            fetched: fetched.unextended(),
            fetched_at: now,
            origin: Origin::Maker,
        };
        if !entry.is_fresh(now) {
            return Err(CollateralError::Expired);
        }
        let mut state = self.state();
        let known = state.shelves.of(self.kind(key)).entries.peek(key);
        if known.is_some_and(|known| entry.is_older_than(&known.fetched.sequence)) {
            return Err(CollateralError::RolledBack);
        }
        Ok(entry)
    }

    /// What serves in spite of the error: what is still fresh, or what the policy lets be used beyond that.
    pub(crate) fn in_spite_of(&self, error: CollateralError, key: &str, now: UnixTime) -> Outcome {
        let kind = self.kind(key);
        let mut state = self.state();
        let Some(entry) = state.shelves.of(kind).entries.peek(key) else {
            return Err(error);
        };
        if entry.is_fresh(now) {
            return Ok(entry.fetched.clone());
        }
        if !error.is_outage() {
            return Err(error);
        }
        entry.stale(self.settings.stale, now).ok_or(error)
    }

    pub(crate) fn due(&self, now: UnixTime) -> Vec<String> {
        let state = self.state();
        let entries = state.shelves.iter().flat_map(|shelf| &shelf.entries);
        entries
            .filter(|(key, entry)| entry.is_due(&self.settings.limits, self.kind(key), now))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Unless somebody has fetched other contents in the meantime.
    pub(crate) fn reject(&self, key: &str, contents: &Fetched, now: UnixTime) {
        let kind = self.kind(key);
        let mut state = self.state();
        let shelf = state.shelves.of(kind);
        let entry = shelf.entries.peek(key);
        let Some(entry) = entry.filter(|entry| entry.fetched.bytes == contents.bytes) else {
            return;
        };
        let origin = entry.origin;
        shelf.entries.pop(key);
        if origin == Origin::Maker {
            self.fail(&mut state, (key, kind), CollateralError::Malformed, now);
        }
        if let Some(disk) = &self.disk {
            disk.remove(key);
        }
    }

    pub(crate) fn prune(&self, now: UnixTime) {
        if let Some(disk) = &self.disk {
            let grace = self.settings.stale.grace();
            disk.prune(&self.settings.limits, grace, now, |key| self.kind(key));
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let state = self.state();
        Stats {
            kept: state.shelves.iter().map(Shelf::kept).sum(),
            ..state.stats
        }
    }

    pub(crate) fn kind(&self, key: &str) -> Kind {
        self.fetch.kind(key)
    }
}

impl<F> Store<F> {
    pub(crate) fn fail(
        &self,
        state: &mut State,
        (key, kind): (&str, Kind),
        error: CollateralError,
        now: UnixTime,
    ) {
        let pauses = Pauses {
            limits: &self.settings.limits,
            key,
            seed: self.settings.seed,
        };
        let failures = &mut state.shelves.of(kind).failures;
        let failure = Failure::after(failures.peek(key), error, now.as_secs(), pauses);
        failures.push(key.to_owned(), failure);
        state.stats.failures = state.stats.failures.saturating_add(1);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
