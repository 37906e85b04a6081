//! Collateral in memory and on disk, and the rules by which contents are accepted.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::http::HttpError;
use atls_core::pki_types::UnixTime;

use crate::disk::Disk;
use crate::disk::Named;
use crate::entry::Entry;
use crate::entry::Origin;
use crate::error::CollateralError;
use crate::fetch::Fetch;
use crate::fetch::Kind;
use crate::fetched::Fetched;
use crate::limits::Settings;
use crate::metrics;
use crate::metrics::Published;
use crate::moment::Steady;
use crate::shelf::Shelf;
use crate::state::State;
use crate::stats::Stats;

pub(crate) struct Store<F> {
    pub(crate) fetch: Arc<F>,
    pub(crate) settings: Settings,
    pub(crate) steady: Steady,
    disk: Option<Disk>,
    state: Mutex<State>,
    /// How often a piece took the place of another, or of none.
    generation: AtomicU64,
    published: Published,
}

impl<F: Fetch + 'static> Store<F> {
    pub(crate) fn new(fetch: F, settings: Settings, steady: Steady, disk: Option<Disk>) -> Self {
        Self {
            fetch: Arc::new(fetch),
            settings,
            steady,
            disk,
            state: Mutex::new(State::new(&settings.limits)),
            generation: AtomicU64::new(0),
            published: Published::new(),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Brings a piece from disk to memory, unless memory has one.
    pub(crate) fn load(&self, key: &str, now: UnixTime) {
        let Some(disk) = &self.disk else { return };
        let kind = self.kind(key);
        if self.state().shelves.of(kind).entries.contains(key) {
            return;
        }
        let Some(kept) = disk.load(key, &self.settings.limits, now) else {
            return;
        };
        // The contents alone are believed. A file that cannot be read stays until a better one comes: the clock may be wrong.
        let Ok(fetched) = self.fetch.read(key, kept.bytes, now) else {
            return;
        };
        let entry = Entry {
            fetched: fetched.unextended(),
            // A time in the future would never be old.
            fetched_at: Some(kept.fetched_at)
                .filter(|at| *at <= now)
                .unwrap_or(UnixTime::since_unix_epoch(Duration::ZERO)),
            came: self.steady.at(now),
            origin: Origin::Disk,
        };
        let mut state = self.state();
        let shelf = state.shelves.of(kind);
        if !shelf.entries.contains(key) {
            shelf.entries.push(key.to_owned(), entry);
            self.tell(kind, shelf);
        }
    }

    /// Tells the age and the end of what a shelf has now.
    fn tell(&self, kind: Kind, shelf: &Shelf) {
        if kind == Kind::Published {
            self.published
                .are(shelf.entries.iter().map(|(_, entry)| entry));
        }
    }

    /// Takes the outcome of a fetch.
    pub(crate) fn land(
        &self,
        key: &str,
        now: UnixTime,
        outcome: Result<Fetched, CollateralError>,
    ) -> Result<Fetched, CollateralError> {
        let kind = self.kind(key);
        let outcome = outcome.and_then(|fetched| self.accept(key, now, fetched));
        let at = self.steady.at(now);
        let mut state = self.state();
        let entry = match outcome {
            Ok(entry) => entry,
            Err(error) => {
                metrics::fetched(kind, "failed");
                state.fail(&self.settings, (key, kind), error.clone(), at);
                return Err(error);
            }
        };
        let shelf = state.shelves.of(kind);
        if let Some(later) = shelf.entries.peek(key)
            && later.is_later_than(now)
        {
            // This fetch was long under way, and a later one has ended.
            return Ok(later.fetched.clone());
        }
        let known = shelf.entries.peek(key);
        // A peer chooses which devices are asked about, and so must not be able to make all results old.
        if kind == Kind::Published
            && known.is_none_or(|known| known.fetched.bytes != entry.fetched.bytes)
        {
            self.generation.fetch_add(1, Ordering::Relaxed);
        }
        shelf.entries.push(key.to_owned(), entry.clone());
        metrics::fetched(kind, "renewed");
        self.tell(kind, shelf);
        if let Some(failure) = shelf.failures.get_mut(key) {
            failure.release();
        }
        drop(state);
        let stored = self
            .disk
            .as_ref()
            .map(|disk| disk.store(&Named { key, kind }, &entry, &self.settings.limits));
        if let Some(Err(_)) = stored {
            self.state().count_disk_failure();
        }
        Ok(entry.fetched)
    }

    fn accept(&self, key: &str, now: UnixTime, fetched: Fetched) -> Result<Entry, CollateralError> {
        if fetched.bytes.len() > self.settings.limits.max_bytes {
            return Err(HttpError::TooLarge.into());
        }
        let at = self.steady.at(now);
        let entry = Entry {
            fetched: fetched.unextended(),
            fetched_at: now,
            came: at,
            origin: Origin::Maker,
        };
        if !entry.is_fresh(at) {
            return Err(CollateralError::Expired);
        }
        let mut state = self.state();
        let known = state.shelves.of(self.kind(key)).entries.peek(key);
        if known.is_some_and(|known| entry.is_older_than(&known.fetched.sequence)) {
            return Err(CollateralError::RolledBack);
        }
        Ok(entry)
    }

    /// The piece that serves in spite of the error: a fresh one, or one that the policy allows beyond its validity.
    pub(crate) fn in_spite_of(
        &self,
        error: CollateralError,
        key: &str,
        now: UnixTime,
    ) -> Result<Fetched, CollateralError> {
        let (kind, at) = (self.kind(key), self.steady.at(now));
        let mut state = self.state();
        let Some(entry) = state.shelves.of(kind).entries.peek(key) else {
            return Err(error);
        };
        if entry.is_fresh(at) {
            return Ok(entry.fetched.clone());
        }
        if !error.is_outage() {
            return Err(error);
        }
        entry.stale(self.settings.stale, at).ok_or(error)
    }

    pub(crate) fn due(&self, now: UnixTime) -> Vec<String> {
        let at = self.steady.at(now);
        let state = self.state();
        let entries = state.shelves.iter().flat_map(|shelf| &shelf.entries);
        entries
            .filter(|(key, entry)| entry.is_due(&self.settings.limits, self.kind(key), at))
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Drops these contents, unless others have been fetched meanwhile.
    pub(crate) fn reject(&self, key: &str, contents: &Fetched, now: UnixTime) {
        let (kind, at) = (self.kind(key), self.steady.at(now));
        let mut state = self.state();
        let shelf = state.shelves.of(kind);
        let entry = shelf.entries.peek(key);
        let Some(entry) = entry.filter(|entry| entry.fetched.bytes == contents.bytes) else {
            return;
        };
        let origin = entry.origin;
        shelf.entries.pop(key);
        self.tell(kind, shelf);
        if origin == Origin::Maker {
            state.fail(&self.settings, (key, kind), CollateralError::Malformed, at);
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
        self.state().stats()
    }

    pub(crate) fn kind(&self, key: &str) -> Kind {
        self.fetch.kind(key)
    }
}

impl<F> Store<F> {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
