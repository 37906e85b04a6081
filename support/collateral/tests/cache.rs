//! The answers, fetches and refusals of a cache.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CacheLimits;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_collateral::MAX_GRACE;
use atls_collateral::MAX_KEY;
use atls_collateral::StalePolicy;
use atls_core::http::HttpError;
use atls_core::http::NotSent;
use support::DAY;
use support::HOUR;
use support::Maker;
use support::NOW;
use support::Task;
use support::now;
use support::piece;
use test_support::at;

// --- Validity ----------------------------------------------------------------------------------------------------------

#[test]
fn a_fresh_piece_is_fetched_once() {
    let (maker, cache) = prepared("a", piece("one", NOW + HOUR));
    for later in [0, 1, HOUR - 1] {
        let fetched = now(cache.get("a", at(NOW + later))).unwrap();
        assert_eq!(fetched, piece("one", NOW + HOUR));
    }
    assert_eq!(maker.count(), 1);
    assert_eq!(cache.stats().kept, 1);
}

#[test]
fn an_expired_piece_is_fetched_again_and_never_given() {
    let (maker, cache) = prepared("a", piece("one", NOW + HOUR));
    now(cache.get("a", at(NOW))).unwrap();
    maker.prepare("a", Ok(piece("two", NOW + 2 * HOUR)));
    let fetched = now(cache.get("a", at(NOW + HOUR))).unwrap();
    assert_eq!(fetched, piece("two", NOW + 2 * HOUR));
    maker.prepare("a", Err(unreachable()));
    let error = now(cache.get("a", at(NOW + 2 * HOUR))).unwrap_err();
    assert_eq!(error, unreachable());
}

#[test]
fn the_generation_rises_with_a_replacement_and_not_with_a_renewal() {
    let one = piece("one", NOW + HOUR);
    let (maker, cache) = prepared("a", one.clone());
    let cache: Arc<dyn Fetch> = Arc::new(Arc::new(cache));
    let get = |seconds| now(cache.fetch("a", at(seconds))).unwrap();
    let before = cache.generation();
    get(NOW);
    let first = cache.generation();
    assert!(first > before);
    let longer = Fetched::new(one.bytes.to_vec(), at(NOW + 2 * HOUR));
    maker.prepare("a", Ok(longer));
    get(NOW + HOUR);
    assert_eq!(cache.generation(), first);
    maker.prepare("a", Ok(piece("two", NOW + 3 * HOUR)));
    get(NOW + 2 * HOUR);
    assert!(cache.generation() > first);
}

#[test]
fn a_peer_that_names_devices_does_not_raise_the_generation() {
    let (_maker, cache) = prepared("device/a", piece("one", NOW + HOUR));
    let cache: Arc<dyn Fetch> = Arc::new(Arc::new(cache));
    let before = cache.generation();
    now(cache.fetch("device/a", at(NOW))).unwrap();
    assert_eq!(cache.generation(), before);
}

#[test]
fn a_piece_that_arrives_expired_is_refused() {
    let (maker, cache) = prepared("a", piece("old", NOW));
    assert_eq!(
        now(cache.get("a", at(NOW))).unwrap_err(),
        CollateralError::Expired
    );
    assert_eq!(cache.stats().kept, 0);
    assert_eq!(maker.count(), 1);
}

#[test]
fn a_piece_that_expires_during_the_wait_is_refused() {
    let (maker, cache) = open();
    let first = Task::pending(cache.get("a", at(NOW)));
    let late = Task::pending(cache.get("a", at(NOW + 10)));
    maker.answer(0, Ok(piece("short", NOW + 10)));
    assert_eq!(first.woken().unwrap(), piece("short", NOW + 10));
    assert_eq!(late.woken().unwrap_err(), CollateralError::Expired);
}

#[test]
fn a_fetch_cannot_extend_its_own_use() {
    let mut longer = piece("one", NOW + HOUR);
    longer.usable_until = at(NOW + DAY);
    let (_, cache) = prepared("a", longer);
    let fetched = now(cache.get("a", at(NOW))).unwrap();
    assert_eq!(fetched, piece("one", NOW + HOUR));
}

#[test]
fn a_piece_beyond_its_limit_is_refused() {
    let limits = limits(|limits| limits.max_bytes = 3);
    let maker = Maker::default();
    let cache = Cache::builder(maker.clone())
        .limits(limits)
        .build()
        .unwrap();
    let of_length = |length| Ok(Fetched::new(vec![0; length], at(NOW + 1)));
    maker.prepare("a", of_length(3));
    maker.prepare("b", of_length(4));
    assert!(now(cache.get("a", at(NOW))).is_ok());
    assert_eq!(
        now(cache.get("b", at(NOW))).unwrap_err(),
        HttpError::TooLarge.into()
    );
}

// --- Going back --------------------------------------------------------------------------------------------------------

#[test]
fn an_older_issue_is_refused_and_the_newer_one_stays() {
    let issue = |number, end| piece(&format!("issue {number}"), end).with_sequence(number);
    let (maker, cache) = prepared("a", issue(7, NOW + DAY));
    now(cache.get("a", at(NOW))).unwrap();
    for older in [issue(6, NOW + 9 * DAY), piece("none", NOW + 9 * DAY)] {
        maker.prepare("a", Ok(older));
        let due = at(NOW + DAY - HOUR);
        let refreshed = now(cache.refresh(due));
        assert_eq!(
            refreshed.failed,
            [("a".to_owned(), CollateralError::RolledBack)]
        );
        assert_eq!(now(cache.get("a", due)).unwrap(), issue(7, NOW + DAY));
    }
    // Expired by now, but not forgotten.
    let error = now(cache.get("a", at(NOW + 2 * DAY))).unwrap_err();
    assert_eq!(error, CollateralError::RolledBack);
    for same_or_newer in [7, 8] {
        let later = at(NOW + (10 + same_or_newer) * DAY);
        maker.prepare(
            "a",
            Ok(issue(same_or_newer, NOW + (11 + same_or_newer) * DAY)),
        );
        assert!(now(cache.get("a", later)).is_ok());
    }
}

/// A piece of several documents: none of them goes back, whatever the others do.
#[test]
fn no_number_of_a_piece_goes_backwards() {
    let issue = |numbers: &[u64]| {
        let fetched = piece("issue", NOW + 30 * DAY);
        numbers
            .iter()
            .fold(fetched, |fetched, number| fetched.with_sequence(*number))
    };
    for (second, outcome) in [
        (&[5, 5][..], true),
        (&[6, 5], true),
        (&[5, 5, 1], true),
        (&[4, 5], false),
        (&[6, 4], false),
        (&[6], false),
        (&[], false),
    ] {
        let (maker, cache) = prepared("a", issue(&[5, 5]));
        now(cache.get("a", at(NOW))).unwrap();
        maker.prepare("a", Ok(issue(second)));
        let failed = now(cache.refresh(at(NOW + DAY))).failed;
        let refused = [("a".to_owned(), CollateralError::RolledBack)];
        assert_eq!(
            failed,
            if outcome { &[][..] } else { &refused },
            "{second:?}"
        );
    }
}

// --- Single flight -----------------------------------------------------------------------------------------------------

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

// --- Bounds ------------------------------------------------------------------------------------------------------------

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

// --- Failures ----------------------------------------------------------------------------------------------------------

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

#[test]
fn a_fresh_piece_is_given_while_its_renewal_fails() {
    let (maker, cache) = prepared("a", piece("one", NOW + DAY));
    now(cache.get("a", at(NOW))).unwrap();
    maker.prepare("a", Err(unreachable()));
    let late = at(NOW + DAY - 1);
    let refreshed = now(cache.refresh(late));
    assert_eq!(refreshed.failed, [("a".to_owned(), unreachable())]);
    assert_eq!(now(cache.get("a", late)).unwrap(), piece("one", NOW + DAY));
}

// --- Beyond validity ---------------------------------------------------------------------------------------------------

#[test]
fn an_expired_piece_is_used_within_the_grace_while_its_maker_is_out() {
    for (failure, borne) in [
        (unreachable(), true),
        (HttpError::TimedOut.into(), true),
        (HttpError::NotSent(NotSent::Failing).into(), true),
        (CollateralError::Status(503), true),
        (CollateralError::Status(429), false),
        (CollateralError::Status(404), false),
        (HttpError::TooLarge.into(), false),
        (HttpError::NotSent(NotSent::Busy).into(), false),
        (HttpError::NotSent(NotSent::TooOften).into(), false),
        (CollateralError::Malformed, false),
        (CollateralError::RolledBack, false),
        (CollateralError::Expired, false),
        (CollateralError::Address, false),
    ] {
        let maker = Maker::default();
        let grace = Duration::from_secs(HOUR);
        let cache = Cache::builder(maker.clone())
            .stale_policy(StalePolicy::dangerous_while_unreachable(grace))
            .build()
            .unwrap();
        maker.prepare("a", Ok(piece("one", NOW + DAY)));
        now(cache.get("a", at(NOW))).unwrap();
        maker.prepare("a", Err(failure.clone()));
        for second in [DAY, DAY + 1, DAY + HOUR - 1] {
            let outcome = now(cache.get("a", at(NOW + second)));
            assert_eq!(outcome.is_ok(), borne, "{failure}");
            if let Ok(fetched) = outcome {
                assert_eq!(fetched.fresh_until, at(NOW + DAY));
                assert_eq!(fetched.usable_until, at(NOW + DAY + HOUR));
            }
        }
        let late = now(cache.get("a", at(NOW + DAY + HOUR)));
        assert_eq!(late.unwrap_err(), failure);
    }
}

#[test]
fn the_grace_is_bounded() {
    let maker = Maker::default();
    let cache = Cache::builder(maker.clone())
        .stale_policy(StalePolicy::dangerous_while_unreachable(Duration::MAX))
        .build()
        .unwrap();
    maker.prepare("a", Ok(piece("one", NOW + 1)));
    now(cache.get("a", at(NOW))).unwrap();
    maker.prepare("a", Err(unreachable()));
    let end = NOW + 1 + MAX_GRACE.as_secs();
    assert!(now(cache.get("a", at(end - 1))).is_ok());
    assert!(now(cache.get("a", at(end))).is_err());
}

#[test]
fn dates_are_checked_now_or_at_the_last_second_of_validity() {
    let mut fetched = piece("one", NOW);
    assert_eq!(fetched.validity_time(at(NOW - 5)), at(NOW - 5));
    // The piece is not fresh and no policy extends its use: it must not look valid.
    assert_eq!(fetched.validity_time(at(NOW)), at(NOW));
    fetched.usable_until = at(NOW + HOUR);
    assert_eq!(fetched.validity_time(at(NOW - 5)), at(NOW - 5));
    assert_eq!(fetched.validity_time(at(NOW)), at(NOW - 1));
    assert_eq!(fetched.validity_time(at(NOW + HOUR - 1)), at(NOW - 1));
    assert_eq!(fetched.validity_time(at(NOW + HOUR)), at(NOW + HOUR));
}

// --- Ahead -------------------------------------------------------------------------------------------------------------

#[test]
fn refresh_renews_what_expires_soon_and_nothing_else() {
    let (maker, cache) = open();
    let lives = [
        ("device/day", DAY),
        ("device/month", 30 * DAY),
        ("device/year", 365 * DAY),
    ];
    for (key, life) in lives {
        maker.prepare(key, Ok(piece(key, NOW + life)));
        now(cache.get(key, at(NOW))).unwrap();
    }
    let renewed = |seconds: u64| {
        for (key, life) in lives {
            maker.prepare(key, Ok(piece(key, NOW + seconds + life)));
        }
        renewed(&maker, &cache, NOW + seconds)
    };
    assert_eq!(renewed(DAY - DAY / 4 - 1), [""; 0]);
    assert_eq!(renewed(DAY - DAY / 4), ["device/day"]);
    assert_eq!(renewed(29 * DAY - 1), ["device/day"]);
    assert_eq!(renewed(29 * DAY), ["device/month"]);
}

/// A list that is valid for months does not say what was revoked since.
#[test]
fn refresh_renews_what_was_published_and_is_old_however_long_it_is_valid() {
    let old = piece("old", NOW + 365 * DAY);
    let (maker, cache) = prepared("list", old.clone());
    maker.prepare("device/a", Ok(old.clone()));
    for key in ["list", "device/a"] {
        now(cache.get(key, at(NOW))).unwrap();
    }
    maker.prepare("list", Ok(piece("revoking", NOW + 365 * DAY)));
    assert_eq!(renewed(&maker, &cache, NOW + 6 * HOUR - 1), [""; 0]);
    assert_eq!(now(cache.get("list", at(NOW + 6 * HOUR))), Ok(old));
    assert_eq!(renewed(&maker, &cache, NOW + 6 * HOUR), ["list"]);
    assert_eq!(
        now(cache.get("list", at(NOW + 6 * HOUR))),
        Ok(piece("revoking", NOW + 365 * DAY))
    );
    // A failure takes nothing away, and is tried again.
    maker.prepare("list", Err(unreachable()));
    let failed = now(cache.refresh(at(NOW + 12 * HOUR))).failed;
    assert_eq!(failed, [("list".to_owned(), unreachable())]);
    assert!(now(cache.get("list", at(NOW + 12 * HOUR))).is_ok());
    maker.prepare("list", Ok(piece("next", NOW + 365 * DAY)));
    assert_eq!(renewed(&maker, &cache, NOW + 12 * HOUR + 900), ["list"]);
}

#[test]
fn where_nobody_renews_one_of_those_who_ask_does() {
    let (maker, cache) = prepared("list", piece("old", NOW + 30 * DAY));
    now(cache.get("list", at(NOW))).unwrap();
    maker.prepare_nothing("list");
    let due = at(NOW + 6 * HOUR);
    let first = Task::pending(cache.get("list", due));
    // One waits; for the others there is what is valid.
    assert_eq!(
        now(cache.get("list", due)),
        Ok(piece("old", NOW + 30 * DAY))
    );
    maker.answer(1, Ok(piece("revoking", NOW + 30 * DAY)));
    assert_eq!(first.woken(), Ok(piece("revoking", NOW + 30 * DAY)));
    // A caller that gives up leaves the renewal to the next one. A failure leaves the old contents, without another try for a
    // moment.
    let due = NOW + 12 * HOUR;
    drop(Task::pending(cache.get("list", at(due))));
    maker.answer(2, Ok(piece("third", NOW + 30 * DAY)));
    assert_eq!(
        now(cache.get("list", at(due + 1))),
        Ok(piece("third", NOW + 30 * DAY))
    );
    maker.prepare("list", Err(CollateralError::Malformed));
    for second in 0..2 {
        let got = now(cache.get("list", at(NOW + 18 * HOUR + second)));
        assert_eq!(got, Ok(piece("third", NOW + 30 * DAY)));
    }
    assert_eq!(maker.count(), 4);
}

#[test]
fn in_the_background_all_is_renewed_and_every_fetch_ends() {
    let (maker, cache) = prepared("list", piece("old", NOW + 30 * DAY));
    now(cache.get("list", at(NOW))).unwrap();
    let clock = Arc::new(AtomicU64::new(NOW));
    let timer = Maker::default();
    let reported = Arc::new(Mutex::new(Vec::new()));
    let mut background = {
        let (clock, reported) = (clock.clone(), reported.clone());
        let timer = timer.clone();
        Task::pending(cache.clone().keep_fresh(
            move || at(clock.load(Ordering::SeqCst)),
            move |time| {
                assert_eq!(time, Duration::from_secs(15 * 60));
                let timer = timer.clone();
                async move { drop(timer.fetch("timer", at(0)).await) }
            },
            move |refreshed| reported.lock().unwrap().push(refreshed),
        ))
    };
    // Its peer is gone at once, and it is fetched all the same.
    drop(Task::pending(cache.get("other", at(NOW))));
    assert!(background.poll().is_none());
    maker.answer(1, Ok(piece("other", NOW + 30 * DAY)));
    assert!(background.poll().is_none());
    assert_eq!(cache.stats().kept, 2);
    // Callers do not wait for a valid piece.
    let due = NOW + 6 * HOUR;
    clock.store(due, Ordering::SeqCst);
    now(cache.refresh(at(due - HOUR / 4)));
    maker.prepare("list", Ok(piece("revoking", NOW + 30 * DAY)));
    maker.prepare("other", Err(unreachable()));
    let valid = now(cache.get("list", at(due)));
    assert_eq!(valid, Ok(piece("old", NOW + 30 * DAY)));
    timer.answer(0, Err(unreachable()));
    assert!(background.poll().is_none());
    let seen = now(cache.get("list", at(due)));
    assert_eq!(seen, Ok(piece("revoking", NOW + 30 * DAY)));
    let reported = reported.lock().unwrap();
    assert_eq!(reported.len(), 2);
    assert_eq!(reported[1].renewed, 1);
    assert_eq!(reported[1].failed, [("other".to_owned(), unreachable())]);
    assert_eq!(timer.count(), 2);
}

#[test]
fn a_caller_during_a_renewal_gets_the_old_contents_at_once() {
    let (maker, cache) = prepared("a", piece("one", NOW + DAY));
    now(cache.get("a", at(NOW))).unwrap();
    maker.prepare_nothing("a");
    let late = at(NOW + DAY - 1);
    let refresh = Task::pending(cache.refresh(late));
    assert_eq!(now(cache.get("a", late)).unwrap(), piece("one", NOW + DAY));
    // Once it has expired, there is the renewal to wait for, and no second fetch.
    let expired = Task::pending(cache.get("a", at(NOW + DAY)));
    maker.answer(1, Ok(piece("two", NOW + 2 * DAY)));
    assert_eq!(refresh.woken().renewed, 1);
    assert_eq!(expired.woken().unwrap(), piece("two", NOW + 2 * DAY));
    assert_eq!(maker.count(), 2);
}

// --- Contents that do not verify ---------------------------------------------------------------------------------------

#[test]
fn rejected_contents_are_gone_and_fetched_again_after_a_moment() {
    let (maker, cache) = prepared("a", piece("forged", NOW + DAY));
    let forged = now(cache.get("a", at(NOW))).unwrap();
    cache.reject("a", &forged, at(NOW));
    maker.prepare("a", Ok(piece("genuine", NOW + DAY)));
    assert_eq!(
        now(cache.get("a", at(NOW))).unwrap_err(),
        CollateralError::Malformed
    );
    assert_eq!(
        now(cache.get("a", at(NOW + 3))).unwrap(),
        piece("genuine", NOW + DAY)
    );
    // Somebody who still holds the old ones does not drop the new ones.
    cache.reject("a", &forged, at(NOW + 3));
    assert!(now(cache.get("a", at(NOW + 3))).is_ok());
    assert_eq!(maker.count(), 2);
}

#[test]
fn contents_that_are_rejected_again_and_again_are_fetched_ever_less() {
    let (maker, cache) = prepared("a", piece("forged", NOW + DAY));
    for second in 0..60 {
        if let Ok(forged) = now(cache.get("a", at(NOW + second))) {
            cache.reject("a", &forged, at(NOW + second));
        }
    }
    assert_eq!(maker.count(), 5);
}

#[test]
fn a_cache_is_what_it_caches() {
    let (maker, cache) = prepared("a", piece("one", NOW + HOUR));
    let fetch: Arc<dyn Fetch> = Arc::new(cache);
    for _ in 0..2 {
        assert!(now(fetch.fetch("a", at(NOW))).is_ok());
    }
    assert_eq!(maker.count(), 1);
    fetch.reject("a", &piece("one", NOW + HOUR), at(NOW));
    assert!(now(fetch.fetch("a", at(NOW))).is_err());
}

fn open() -> (Maker, Cache<Maker>) {
    let maker = Maker::default();
    (maker.clone(), Cache::new(maker))
}

fn prepared(key: &str, fetched: Fetched) -> (Maker, Cache<Maker>) {
    let (maker, cache) = open();
    maker.prepare(key, Ok(fetched));
    (maker, cache)
}

/// The keys that a refresh renews.
fn renewed(maker: &Maker, cache: &Cache<Maker>, seconds: u64) -> Vec<String> {
    let before = maker.count();
    let refreshed = now(cache.refresh(at(seconds)));
    assert_eq!(refreshed.failed, []);
    let renewed = maker.fetched().split_off(before);
    assert_eq!(renewed.len(), refreshed.renewed);
    renewed
}

fn limits(change: impl FnOnce(&mut CacheLimits)) -> CacheLimits {
    let mut limits = CacheLimits::default();
    change(&mut limits);
    limits
}

fn unreachable() -> CollateralError {
    HttpError::Unreachable("no route".to_owned()).into()
}
