//! The bounds on fetches, keys and failures.

use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CacheLimits;
use atls_collateral::CollateralError;
use atls_collateral::MAX_KEY;
use atls_core::http::HttpError;
use atls_core::http::NotSent;
use test_support::at;

use crate::pieces::limits;
use crate::pieces::open;
use crate::pieces::unreachable;
use crate::support::DAY;
use crate::support::HOUR;
use crate::support::Maker;
use crate::support::NOW;
use crate::support::Task;
use crate::support::now;
use crate::support::piece;

#[test]
fn different_keys_are_different_fetches() {
    let (maker, cache) = open();
    let a = Task::pending(cache.get("a", at(NOW)));
    let b = Task::pending(cache.get("b", at(NOW)));
    maker.answer(1, Ok(piece("of b", NOW + HOUR)));
    assert_eq!(b.woken().unwrap(), piece("of b", NOW + HOUR));
    maker.answer(0, Ok(piece("of a", NOW + HOUR)));
    assert_eq!(a.woken().unwrap(), piece("of a", NOW + HOUR));
}

#[test]
fn fetches_at_once_are_bounded() {
    let maker = Maker::default();
    let cache = Cache::builder(maker.clone())
        .limits(limits(|limits| limits.max_fetches = 2))
        .build()
        .unwrap();
    let first = Task::pending(cache.get("a", at(NOW)));
    let second = Task::pending(cache.get("b", at(NOW)));
    let busy = CollateralError::from(HttpError::NotSent(NotSent::Busy));
    assert_eq!(now(cache.get("c", at(NOW))).unwrap_err(), busy);
    // To wait for what is under way is no further fetch.
    let joined = Task::pending(cache.get("a", at(NOW)));
    // A place is free again when a fetch has ended, or when nobody waits for it.
    drop(second);
    let third = Task::pending(cache.get("c", at(NOW)));
    assert!(maker.was_dropped(1));
    assert_eq!(now(cache.get("e", at(NOW))).unwrap_err(), busy);
    maker.answer(0, Err(unreachable()));
    assert!(first.woken().is_err() && joined.woken().is_err());
    let fourth = Task::pending(cache.get("d", at(NOW)));
    assert_eq!(now(cache.get("e", at(NOW))).unwrap_err(), busy);
    drop((third, fourth));
    assert_eq!(maker.fetched(), ["a", "b", "c", "d"]);
    // It had a while to answer, and is left alone for a moment.
    let gone = CollateralError::from(HttpError::TimedOut);
    assert_eq!(now(cache.get("b", at(NOW + 1))).unwrap_err(), gone);
}

#[test]
fn the_rate_of_fetches_is_bounded() {
    let maker = Maker::default();
    let cache = Cache::builder(maker.clone())
        .limits(limits(|limits| {
            limits.burst = 2;
            limits.interval = Duration::from_secs(10);
        }))
        .build()
        .unwrap();
    for key in ["a", "b", "c", "d"] {
        maker.prepare(key, Ok(piece(key, NOW + HOUR)));
    }
    let too_often = CollateralError::from(HttpError::NotSent(NotSent::TooOften));
    assert!(now(cache.get("a", at(NOW))).is_ok());
    assert!(now(cache.get("b", at(NOW))).is_ok());
    assert_eq!(now(cache.get("c", at(NOW))).unwrap_err(), too_often);
    assert!(now(cache.get("a", at(NOW))).is_ok());
    assert!(now(cache.get("c", at(NOW + 10))).is_ok());
    assert_eq!(now(cache.get("d", at(NOW + 10))).unwrap_err(), too_often);
    assert_eq!(maker.count(), 3);
}

/// A peer that invents devices exhausts the bounds of devices, and leaves those of revocation alone.
#[test]
fn each_kind_has_bounds_of_its_own() {
    let list = || piece("list", NOW + HOUR);
    let device = |number: u64| format!("device/{number}");
    let cached = |change: fn(&mut CacheLimits)| {
        let maker = Maker::default();
        let cache = Cache::builder(maker.clone()).limits(limits(change));
        maker.prepare("list", Ok(list()));
        (maker, cache.build().unwrap())
    };
    // The bound on the rate,
    let (maker, cache) = cached(|limits| limits.burst = 2);
    for number in 0..9 {
        maker.prepare(&device(number), Err(CollateralError::Status(404)));
        now(cache.get(&device(number), at(NOW))).unwrap_err();
    }
    assert_eq!(maker.count(), 2);
    assert_eq!(now(cache.get("list", at(NOW))), Ok(list()));
    // at once,
    let (_, cache) = cached(|limits| limits.max_fetches = 2);
    let _open = [0, 1].map(|number| {
        let cache = cache.clone();
        Task::pending(async move { cache.get(&device(number), at(NOW)).await })
    });
    let busy = CollateralError::from(HttpError::NotSent(NotSent::Busy));
    assert_eq!(now(cache.get(&device(2), at(NOW))), Err(busy));
    assert_eq!(now(cache.get("list", at(NOW))), Ok(list()));
    // and in memory.
    let (maker, cache) = cached(|limits| limits.max_keys = 2);
    now(cache.get("list", at(NOW))).unwrap();
    for number in 0..9 {
        maker.prepare(&device(number), Ok(piece("device", NOW + DAY)));
        now(cache.get(&device(number), at(NOW))).unwrap();
    }
    assert_eq!(cache.stats().kept, 3);
    let before = maker.count();
    assert_eq!(now(cache.get("list", at(NOW))), Ok(list()));
    assert_eq!(maker.count(), before);
}

#[test]
fn the_key_that_was_not_used_for_longest_makes_room() {
    let maker = Maker::default();
    let cache = Cache::builder(maker.clone())
        .limits(limits(|limits| limits.max_keys = 2))
        .build()
        .unwrap();
    for key in ["a", "b", "a", "c", "a", "b"] {
        maker.prepare(key, Ok(piece(key, NOW + HOUR)));
        now(cache.get(key, at(NOW))).unwrap();
    }
    assert_eq!(maker.fetched(), ["a", "b", "c", "b"]);
    assert_eq!(cache.stats().kept, 2);
}

#[test]
fn a_key_that_could_be_a_peers_text_is_refused() {
    let (maker, cache) = open();
    let longest = "k".repeat(MAX_KEY);
    let longer = "k".repeat(MAX_KEY + 1);
    for key in [
        "", "A", "a.b", "..", "a b", "a%2f", "a\0", "a\\b", "é", &longer,
    ] {
        assert_eq!(
            now(cache.get(key, at(NOW))).unwrap_err(),
            CollateralError::Key,
            "{key}"
        );
    }
    assert_eq!(maker.count(), 0);
    drop(Task::pending(cache.get(&longest, at(NOW))));
    drop(Task::pending(cache.get("/vcek/v1_x/0a-9/", at(NOW))));
    assert_eq!(maker.count(), 2);
}

#[test]
fn a_failure_is_remembered_for_a_moment_that_doubles() {
    let maker = Maker::default();
    let cache = Cache::new(maker.clone());
    maker.prepare("a", Err(CollateralError::Status(500)));
    let mut fetches = Vec::new();
    for second in 0..60 {
        let before = maker.count();
        let error = now(cache.get("a", at(NOW + second))).unwrap_err();
        assert_eq!(error, CollateralError::Status(500));
        if maker.count() > before {
            fetches.push(second);
        }
    }
    // Pauses of 2, 4, 8 and 16 seconds, and up to half as long again.
    assert_eq!(fetches.len(), 5, "{fetches:?}");
    for (pair, pause) in fetches.windows(2).zip([2, 4, 8, 16]) {
        let waited = pair[1] - pair[0];
        assert!((pause..=pause + pause / 2).contains(&waited), "{fetches:?}");
    }
    // One failing key holds no other.
    maker.prepare("b", Ok(piece("b", NOW + HOUR)));
    assert!(now(cache.get("b", at(NOW))).is_ok());
}

#[test]
fn jitter_sets_machines_apart() {
    let retried_at = |seed| {
        let maker = Maker::default();
        let cache = Cache::builder(maker.clone()).jitter(seed).build().unwrap();
        maker.prepare("a", Err(CollateralError::Status(500)));
        let mut tries = Vec::new();
        for second in 0..300 {
            let before = maker.count();
            let _ = now(cache.get("a", at(NOW + second)));
            if maker.count() > before {
                tries.push(second);
            }
        }
        tries
    };
    assert_eq!(retried_at(1), retried_at(1));
    assert!((2..10).any(|seed| retried_at(seed) != retried_at(1)));
}
