//! Renewal, and contents that are rejected.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use test_support::at;

use crate::pieces::open;
use crate::pieces::prepared;
use crate::pieces::unreachable;
use crate::support::DAY;
use crate::support::HOUR;
use crate::support::Maker;
use crate::support::NOW;
use crate::support::Task;
use crate::support::now;
use crate::support::piece;

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

/// What was fetched under a clock that was ahead has no age, and must not count as young until the clock gets there.
#[test]
fn a_clock_that_was_set_back_has_what_was_published_renewed() {
    const YEAR: u64 = 365 * DAY;
    let (maker, cache) = prepared("list", piece("old", NOW + 10 * YEAR));
    now(cache.get("list", at(NOW + YEAR))).unwrap();
    let revoking = piece("revoking", NOW + 10 * YEAR);
    maker.prepare("list", Ok(revoking.clone()));
    assert_eq!(now(cache.get("list", at(NOW))), Ok(revoking.clone()));
    assert_eq!(maker.count(), 2);
    // Its age counts from now on.
    assert_eq!(now(cache.get("list", at(NOW + HOUR))), Ok(revoking));
    assert_eq!(renewed(&maker, &cache, NOW + 6 * HOUR), ["list"]);
}

#[test]
fn a_clock_that_was_set_back_keeps_the_background_renewing() {
    const YEAR: u64 = 365 * DAY;
    let (maker, cache) = prepared("list", piece("old", NOW + 10 * YEAR));
    now(cache.get("list", at(NOW + YEAR))).unwrap();
    maker.prepare("list", Ok(piece("revoking", NOW + 10 * YEAR)));
    assert_eq!(renewed(&maker, &cache, NOW), ["list"]);
    assert_eq!(
        now(cache.get("list", at(NOW))),
        Ok(piece("revoking", NOW + 10 * YEAR))
    );
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

/// The keys that a refresh renews.
fn renewed(maker: &Maker, cache: &Cache<Maker>, seconds: u64) -> Vec<String> {
    let before = maker.count();
    let refreshed = now(cache.refresh(at(seconds)));
    assert_eq!(refreshed.failed, []);
    let renewed = maker.fetched().split_off(before);
    assert_eq!(renewed.len(), refreshed.renewed);
    renewed
}
