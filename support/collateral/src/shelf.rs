//! The pieces of one kind of collateral, and the state of their fetches.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::entry::Entry;
use crate::fetch::Kind;
use crate::flight::Flight;
use crate::limits::CacheLimits;
use crate::pace::Bucket;
use crate::pace::Failure;

/// One shelf for each kind, so that none takes room from the other.
pub(crate) struct Shelves {
    device: Shelf,
    published: Shelf,
}

impl Shelves {
    pub(crate) fn new(limits: &CacheLimits) -> Self {
        Self {
            device: Shelf::new(limits),
            published: Shelf::new(limits),
        }
    }

    pub(crate) fn of(&mut self, kind: Kind) -> &mut Shelf {
        match kind {
            Kind::Device => &mut self.device,
            Kind::Published => &mut self.published,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shelf> {
        [&self.published, &self.device].into_iter()
    }

    pub(crate) fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.iter().flat_map(|shelf| shelf.flights.values())
    }
}

pub(crate) struct Shelf {
    pub(crate) entries: LruCache<String, Entry>,
    pub(crate) failures: LruCache<String, Failure>,
    pub(crate) flights: HashMap<String, Flight>,
    pub(crate) bucket: Bucket,
}

impl Shelf {
    fn new(limits: &CacheLimits) -> Self {
        let capacity = NonZeroUsize::new(limits.max_keys).unwrap_or(NonZeroUsize::MIN);
        Self {
            entries: LruCache::new(capacity),
            failures: LruCache::new(capacity),
            flights: HashMap::new(),
            bucket: Bucket::full(limits),
        }
    }

    /// Removes the abandoned flight that started first. Drop it without a lock.
    pub(crate) fn first_abandoned(&mut self) -> Option<Flight> {
        let abandoned = self
            .flights
            .iter()
            .filter(|(_, flight)| flight.is_abandoned());
        let (key, _) = abandoned.min_by_key(|(_, flight)| flight.number)?;
        let key = key.clone();
        self.flights.remove(&key)
    }

    pub(crate) fn kept(&self) -> usize {
        self.entries.len()
    }
}
