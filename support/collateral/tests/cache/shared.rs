//! Callers that share a fetch, and fetches that nobody waits for.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;
use test_support::at;

use crate::pieces::open;
use crate::pieces::unreachable;
use crate::support::HOUR;
use crate::support::NOW;
use crate::support::Task;
use crate::support::now;
use crate::support::piece;

#[test]
fn simultaneous_callers_share_one_fetch() {
    let (maker, cache) = open();
    let tasks: Vec<_> = (0..100)
        .map(|_| Task::pending(cache.get("a", at(NOW))))
        .collect();
    assert_eq!(maker.count(), 1);
    maker.answer(0, Ok(piece("one", NOW + HOUR)));
    for task in tasks {
        assert_eq!(task.woken().unwrap(), piece("one", NOW + HOUR));
    }
    assert_eq!(maker.count(), 1);
}

#[test]
fn simultaneous_callers_share_one_failure() {
    let (maker, cache) = open();
    let tasks: Vec<_> = (0..100)
        .map(|_| Task::pending(cache.get("a", at(NOW))))
        .collect();
    maker.answer(0, Err(unreachable()));
    for task in tasks {
        assert_eq!(task.woken().unwrap_err(), unreachable());
    }
    assert_eq!((maker.count(), cache.stats().failures), (1, 1));
}

#[test]
fn another_takes_over_from_a_leader_that_gave_up() {
    let (maker, cache) = open();
    let leader = Task::pending(cache.get("a", at(NOW)));
    let second = Task::pending(cache.get("a", at(NOW)));
    let third = Task::pending(cache.get("a", at(NOW)));
    drop(leader);
    drop(third);
    assert!(!maker.was_dropped(0));
    maker.answer(0, Ok(piece("one", NOW + HOUR)));
    assert_eq!(second.woken().unwrap(), piece("one", NOW + HOUR));
    assert_eq!(maker.count(), 1);
}

#[test]
fn a_fetch_that_nobody_waits_for_is_resumed_by_the_next() {
    let (maker, cache) = open();
    let leader = Task::pending(cache.get("a", at(NOW)));
    let second = Task::pending(cache.get("a", at(NOW)));
    drop((leader, second));
    assert!(!maker.was_dropped(0));
    let next = Task::pending(cache.get("a", at(NOW + 9)));
    drop(next);
    maker.answer(0, Ok(piece("one", NOW + HOUR)));
    // The connection that asked is long gone; what it asked for is there for this one.
    assert_eq!(
        now(cache.get("a", at(NOW + 10))),
        Ok(piece("one", NOW + HOUR))
    );
    assert_eq!(maker.count(), 1);
}

#[test]
fn refresh_ends_fetches_that_nobody_waits_for() {
    let (maker, cache) = open();
    drop(Task::pending(cache.get("a", at(NOW))));
    maker.answer(0, Ok(piece("one", NOW + HOUR)));
    now(cache.refresh(at(NOW + 1)));
    assert_eq!(cache.stats().kept, 1);
    assert_eq!(maker.count(), 1);
}

#[test]
fn a_fetch_that_was_left_for_long_is_given_up_and_counts_as_failure() {
    let (maker, cache) = open();
    drop(Task::pending(cache.get("a", at(NOW))));
    let next = Task::pending(cache.get("a", at(NOW + 61)));
    assert!(maker.was_dropped(0));
    assert_eq!((maker.count(), cache.stats().failures), (2, 1));
    maker.answer(1, Ok(piece("one", NOW + HOUR)));
    assert!(next.woken().is_ok());
}

#[test]
fn a_cache_is_dropped_with_the_fetches_that_nobody_waits_for() {
    let (maker, cache) = open();
    drop(Task::pending(cache.get("a", at(NOW))));
    drop(cache);
    assert!(maker.was_dropped(0));
}

/// The platform's own code panics the first time.
#[derive(Default)]
struct Panicking {
    called: AtomicBool,
    /// Before there is a future.
    at_once: bool,
}

impl Fetch for Panicking {
    fn fetch<'a>(
        &'a self,
        _: &'a str,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        let was_called = self.called.swap(true, Ordering::SeqCst);
        assert!(was_called || !self.at_once, "on purpose");
        Box::pin(async move {
            assert!(was_called, "on purpose");
            Ok(piece("one", NOW + HOUR))
        })
    }

    fn read(&self, _: &str, _: Arc<[u8]>, _: UnixTime) -> Result<Fetched, CollateralError> {
        Err(CollateralError::Malformed)
    }
}

#[test]
fn a_fetch_that_panics_is_a_failure_like_others() {
    for at_once in [false, true] {
        let cache = Cache::new(Panicking {
            at_once,
            ..Panicking::default()
        });
        let failed = now(cache.get("a", at(NOW)));
        assert_eq!(failed, Err(CollateralError::Malformed));
        assert_eq!(
            now(cache.get("a", at(NOW + 3))),
            Ok(piece("one", NOW + HOUR))
        );
        assert_eq!(cache.stats().failures, 1);
    }
}
