//! Whose fault it is that there is no key: that of a client that asks for a name which was never here, or that of a server that has none.
//!
//! A certificate resolver does not say which. So a server that has given no key yet is at fault, and one that gave a key for this name before,
//! until it gives one again to anybody. All others ask for names of their own choice.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Why a client got no key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// There is none for anybody, as far as this server can tell.
    ForAnybody,
    /// There is none for the client of this name; `None` for one that asks for no name.
    For(Option<Box<str>>),
}

/// The names for which there was a key.
#[derive(Debug)]
pub(super) struct ServedNames {
    /// Hashes of names, each in the place that it chooses; 0 where there is none. A name that takes the place of another lets that one be
    /// forgotten: a resolver may know any number of them.
    places: Box<[AtomicU64]>,
    hasher: RandomState,
    /// Nobody had a key since a name lost its own, or ever.
    is_in_doubt: AtomicBool,
}

impl ServedNames {
    pub(super) fn new() -> Self {
        Self {
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
            is_in_doubt: AtomicBool::new(true),
        }
    }

    /// There is a key for this name.
    pub(super) fn has_key(&self, name: Option<&str>) {
        let hash = self.hash(name);
        if let Some(place) = self.place(hash) {
            place.store(hash, Ordering::Relaxed);
        }
        self.is_in_doubt.store(false, Ordering::Relaxed);
    }

    /// There is no key for this name.
    pub(super) fn has_none(&self, name: Option<Box<str>>) -> NoKey {
        let hash = self.hash(name.as_deref());
        // Once for each: a name that was taken away is one of others from then on.
        let had_one = self.place(hash).is_some_and(|place| {
            let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
            place.compare_exchange(hash, 0, set, get).is_ok()
        });
        if had_one {
            self.is_in_doubt.store(true, Ordering::Relaxed);
        }
        match self.is_in_doubt.load(Ordering::Relaxed) {
            true => NoKey::ForAnybody,
            false => NoKey::For(name),
        }
    }

    fn hash(&self, name: Option<&str>) -> u64 {
        self.hasher.hash_one(name).max(1)
    }

    fn place(&self, hash: u64) -> Option<&AtomicU64> {
        let number = u64::try_from(self.places.len()).ok()?;
        let place = hash.checked_rem(number)?;
        self.places.get(usize::try_from(place).ok()?)
    }
}

/// Of 8 bytes each.
const PLACES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn none(names: &ServedNames, name: &str) -> NoKey {
        names.has_none(Some(name.into()))
    }

    fn unknown(name: &str) -> NoKey {
        NoKey::For(Some(name.into()))
    }

    #[test]
    fn a_server_that_never_had_a_key_has_none_for_anybody() {
        let names = ServedNames::new();
        assert_eq!(none(&names, "a"), NoKey::ForAnybody);
        assert_eq!(names.has_none(None), NoKey::ForAnybody);
    }

    #[test]
    fn a_name_that_never_had_a_key_is_its_clients_choice() {
        let names = ServedNames::new();
        names.has_key(Some("a"));
        assert_eq!(none(&names, "b"), unknown("b"));
        assert_eq!(names.has_none(None), NoKey::For(None));
    }

    #[test]
    fn a_server_that_loses_its_key_has_none_for_anybody_until_it_has_one() {
        let names = ServedNames::new();
        names.has_key(Some("a"));
        for name in ["a", "b", "a"] {
            assert_eq!(none(&names, name), NoKey::ForAnybody, "{name}");
        }
        names.has_key(Some("c"));
        assert_eq!(none(&names, "b"), unknown("b"));
        // It was taken away, and is told of no more.
        assert_eq!(none(&names, "a"), unknown("a"));
    }
}
