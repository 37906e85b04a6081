//! What the cache holds, and the fetches under way.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use atls_core::Held;
use atls_core::HttpError;
use atls_core::pki_types::UnixTime;
use futures_util::FutureExt;

use crate::CollateralError;
use crate::Fetch;
use crate::Fetched;
use crate::Kind;
use crate::cache::Stats;
use crate::disk::Disk;
use crate::entry::Entry;
use crate::entry::Origin;
use crate::flight::Flight;
use crate::flight::Waiting;
use crate::limits::CacheLimits;
use crate::limits::StalePolicy;
use crate::pace::Failure;
use crate::pace::Pauses;
use crate::shelf::Shelf;
use crate::shelf::Shelves;

pub(crate) struct Store<F> {
    fetch: F,
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

struct State {
    shelves: Shelves,
    /// Counts flights, so that the end of one is not taken for that of its successor.
    last_flight: u64,
    stats: Stats,
}

/// What there is to do for one key.
pub(crate) enum Next {
    Have(Fetched),
    Refused(CollateralError),
    Wait(Waiting),
}

impl<F: Fetch + 'static> Store<F> {
    pub(crate) fn new(fetch: F, settings: Settings, disk: Option<Disk>) -> Self {
        Self {
            fetch,
            settings,
            disk,
            state: Mutex::new(State {
                shelves: Shelves::new(&settings.limits),
                last_flight: 0,
                stats: Stats::default(),
            }),
        }
    }

    /// What there is to do, decided in one step: of many who ask at once, one starts the fetch.
    pub(crate) fn next(
        self: &Arc<Self>,
        key: &str,
        now: UnixTime,
        needs_fetch: impl FnOnce(&Entry) -> bool,
    ) -> Next {
        let kind = self.kind(key);
        let mut state = self.state();
        let shelf = state.shelves.of(kind);
        if let Some(entry) = shelf.entries.get(key)
            && !needs_fetch(entry)
        {
            return Next::Have(entry.fetched.clone());
        }
        let running = shelf.flights.get(key);
        if let Some(flight) = running.and_then(|flight| flight.future.upgrade()) {
            return Next::Wait(flight);
        }
        let failure = shelf.failures.get(key);
        if let Some(error) = failure.and_then(|failure| failure.holds(now.as_secs())) {
            return Next::Refused(error.clone());
        }
        if shelf.flights.len() >= self.settings.limits.max_fetches {
            return Next::Refused(HttpError::Held(Held::Busy).into());
        }
        if !shelf.bucket.take(&self.settings.limits, now.as_secs()) {
            return Next::Refused(HttpError::Held(Held::TooOften).into());
        }
        state.stats.fetches = state.stats.fetches.saturating_add(1);
        state.last_flight = state.last_flight.wrapping_add(1);
        let landing = Landing {
            store: Arc::clone(self),
            key: key.to_owned(),
            kind,
            number: state.last_flight,
        };
        let future = landing.fly(now).boxed().shared();
        if let Some(weak) = future.downgrade() {
            let flight = Flight {
                number: state.last_flight,
                future: weak,
            };
            let flights = &mut state.shelves.of(kind).flights;
            flights.insert(key.to_owned(), flight);
        }
        Next::Wait(future)
    }

    /// Brings a piece from disk to memory, where it is not there.
    pub(crate) fn load(&self, key: &str) {
        let Some(disk) = &self.disk else { return };
        let kind = self.kind(key);
        if self.state().shelves.of(kind).entries.contains(key) {
            return;
        }
        let Some(entry) = disk.load(key, &self.settings.limits) else {
            return;
        };
        let mut state = self.state();
        let shelf = state.shelves.of(kind);
        if !shelf.entries.contains(key) {
            shelf.entries.push(key.to_owned(), entry);
        }
    }

    /// A fetch has ended.
    fn land(
        &self,
        key: &str,
        now: UnixTime,
        outcome: Result<Fetched, CollateralError>,
    ) -> Result<Fetched, CollateralError> {
        let outcome = outcome.and_then(|fetched| self.accept(key, now, fetched));
        let mut state = self.state();
        let entry = match outcome {
            Ok(entry) => entry,
            Err(error) => {
                self.fail(&mut state, key, error.clone(), now);
                return Err(error);
            }
        };
        let shelf = state.shelves.of(self.kind(key));
        shelf.entries.push(key.to_owned(), entry.clone());
        if let Some(failure) = shelf.failures.get_mut(key) {
            failure.release();
        }
        let tidy = state.stats.fetches.is_multiple_of(TIDY_EVERY);
        drop(state);
        let stored = self.disk.as_ref().map(|disk| disk.store(key, &entry));
        if let Some(Err(_)) = stored {
            let stats = &mut self.state().stats;
            stats.disk_failures = stats.disk_failures.saturating_add(1);
        }
        if tidy {
            self.prune(now);
        }
        Ok(entry.fetched)
    }

    fn accept(&self, key: &str, now: UnixTime, fetched: Fetched) -> Result<Entry, CollateralError> {
        if fetched.bytes.len() > self.settings.limits.max_octets {
            return Err(HttpError::TooLarge.into());
        }
        let entry = Entry {
            fetched: Fetched {
                // How long it may be used beyond its validity is not its maker's to say.
                usable_until: fetched.fresh_until,
                ..fetched
            },
            fetched_at: now,
            origin: Origin::Maker,
        };
        if !entry.is_fresh(now) {
            return Err(CollateralError::Expired);
        }
        let mut state = self.state();
        let known = state.shelves.of(self.kind(key)).entries.peek(key);
        if entry.is_older_than(known.and_then(|known| known.fetched.sequence)) {
            return Err(CollateralError::RolledBack);
        }
        Ok(entry)
    }

    fn fail(&self, state: &mut State, key: &str, error: CollateralError, now: UnixTime) {
        let pauses = Pauses {
            limits: &self.settings.limits,
            key,
            seed: self.settings.seed,
        };
        let failures = &mut state.shelves.of(self.kind(key)).failures;
        let failure = Failure::after(failures.peek(key), error, now.as_secs(), pauses);
        failures.push(key.to_owned(), failure);
        state.stats.failures = state.stats.failures.saturating_add(1);
    }

    /// The error, or what the policy lets be used in spite of it.
    pub(crate) fn stale(
        &self,
        key: &str,
        now: UnixTime,
        error: CollateralError,
    ) -> Result<Fetched, CollateralError> {
        if !error.is_outage() {
            return Err(error);
        }
        let mut state = self.state();
        let entry = state.shelves.of(self.kind(key)).entries.peek(key);
        entry
            .and_then(|entry| entry.stale(self.settings.stale, now))
            .ok_or(error)
    }

    pub(crate) fn due(&self, now: UnixTime) -> Vec<String> {
        let state = self.state();
        let entries = state.shelves.iter().flat_map(|shelf| &shelf.entries);
        entries
            .filter(|(_, entry)| entry.is_due(&self.settings.limits, now))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Unless somebody has fetched other contents in the meantime.
    pub(crate) fn reject(&self, key: &str, contents: &Fetched, now: UnixTime) {
        let mut state = self.state();
        let shelf = state.shelves.of(self.kind(key));
        let entry = shelf.entries.peek(key);
        let Some(entry) = entry.filter(|entry| entry.fetched.bytes == contents.bytes) else {
            return;
        };
        let origin = entry.origin;
        shelf.entries.pop(key);
        if origin == Origin::Maker {
            self.fail(&mut state, key, CollateralError::Malformed, now);
        }
        if let Some(disk) = &self.disk {
            disk.remove(key);
        }
    }

    pub(crate) fn prune(&self, now: UnixTime) {
        if let Some(disk) = &self.disk {
            disk.prune(&self.settings.limits, self.settings.stale.grace(), now);
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight off the list when it has landed, or when nobody waits for it any more.
struct Landing<F> {
    store: Arc<Store<F>>,
    key: String,
    kind: Kind,
    number: u64,
}

impl<F: Fetch + 'static> Landing<F> {
    async fn fly(self, now: UnixTime) -> Result<Fetched, CollateralError> {
        let outcome = self.store.fetch.fetch(&self.key, now).await;
        self.store.land(&self.key, now, outcome)
    }
}

impl<F> Drop for Landing<F> {
    fn drop(&mut self) {
        let mut state = self
            .store
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let own = |flight: &Flight| flight.number == self.number;
        let flights = &mut state.shelves.of(self.kind).flights;
        if flights.get(&self.key).is_some_and(own) {
            flights.remove(&self.key);
        }
    }
}

/// After so many fetches the directory is tidied, also where nobody calls `refresh`.
const TIDY_EVERY: u64 = 256;
