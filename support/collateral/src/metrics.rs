//! The numbers of collateral. docs/operations.md documents names, units and labels.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use atls_core::pki_types::UnixTime;
use metrics::counter;
use metrics::gauge;

use crate::entry::Entry;
use crate::fetch::Kind;

/// A fetch has ended.
pub(crate) fn fetched(kind: Kind, outcome: &'static str) {
    let kind = match kind {
        Kind::Device => "device",
        Kind::Published => "published",
    };
    counter!("atls_collateral_fetches_total", "kind" => kind, "outcome" => outcome).increment(1);
}

/// What one cache keeps of what makers publish: when the oldest piece was fetched, and when the first one ends. The gauges are of the
/// process, and so of all its caches together.
#[derive(Debug)]
pub(crate) struct Published {
    cache: u64,
}

/// A time of fetching and a time of ending.
type Times = (UnixTime, UnixTime);

/// By the number of the cache.
static PUBLISHED: Mutex<BTreeMap<u64, Times>> = Mutex::new(BTreeMap::new());

static CACHES: AtomicU64 = AtomicU64::new(0);

impl Published {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            cache: CACHES.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// These pieces, and no others.
    pub(crate) fn are<'a>(&self, entries: impl Iterator<Item = &'a Entry>) {
        let times = entries.map(|entry| (entry.fetched_at, entry.fetched.fresh_until));
        let first = first(times);
        self.change(|known| match first {
            Some(times) => known.insert(self.cache, times),
            None => known.remove(&self.cache),
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut BTreeMap<u64, Times>) -> T) {
        let mut known = PUBLISHED.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut known);
        let (fetched_at, fresh_until) = match first(known.values().copied()) {
            Some((fetched_at, fresh_until)) => (seconds(fetched_at), seconds(fresh_until)),
            None => (0.0, 0.0),
        };
        gauge!("atls_collateral_fetched_timestamp_seconds").set(fetched_at);
        gauge!("atls_collateral_expires_timestamp_seconds").set(fresh_until);
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        self.change(|known| known.remove(&self.cache));
    }
}

fn first(times: impl Iterator<Item = Times>) -> Option<Times> {
    times.reduce(|one, other| (one.0.min(other.0), one.1.min(other.1)))
}

/// Times of this century have 32 bits.
fn seconds(time: UnixTime) -> f64 {
    f64::from(u32::try_from(time.as_secs()).unwrap_or(u32::MAX))
}
