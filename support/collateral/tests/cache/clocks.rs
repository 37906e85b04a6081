//! Pieces under a clock that stands still, or that somebody sets back a little again and again, while time passes.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CacheLimits;
use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_collateral::StalePolicy;
use test_support::absent_folder;
use test_support::at;

use crate::pieces::unreachable;
use crate::support::DAY;
use crate::support::HOUR;
use crate::support::Maker;
use crate::support::NOW;
use crate::support::now;
use crate::support::piece;

/// A clock that is never set, in seconds.
#[derive(Clone, Default)]
struct Passed(Arc<AtomicU64>);

impl Passed {
    fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    fn clock(&self) -> impl Fn() -> Duration + Send + Sync + use<> {
        let passed = self.0.clone();
        move || Duration::from_secs(passed.load(Ordering::SeqCst))
    }
}

fn kept(fetched: &Fetched) -> (Maker, Cache<Maker>, Passed) {
    kept_under(fetched, StalePolicy::refuse())
}

fn kept_under(fetched: &Fetched, policy: StalePolicy) -> (Maker, Cache<Maker>, Passed) {
    let (maker, passed) = (Maker::default(), Passed::default());
    maker.prepare("list", Ok(fetched.clone()));
    let builder = Cache::builder(maker.clone()).stale_policy(policy);
    let cache = builder.steady_clock(passed.clock()).build().unwrap();
    assert_eq!(now(cache.get("list", at(NOW))).as_ref(), Ok(fetched));
    (maker, cache, passed)
}

#[test]
fn what_was_published_is_renewed_by_those_who_ask() {
    let (maker, cache, passed) = kept(&piece("old", NOW + 365 * DAY));
    let revoking = piece("revoking", NOW + 365 * DAY);
    maker.prepare("list", Ok(revoking.clone()));
    passed.pass(6 * HOUR - 1);
    now(cache.get("list", at(NOW))).unwrap();
    assert_eq!(maker.count(), 1);
    passed.pass(1);
    assert_eq!(now(cache.get("list", at(NOW))), Ok(revoking));
    // Its age counts from now on.
    passed.pass(6 * HOUR - 1);
    now(cache.get("list", at(NOW))).unwrap();
    assert_eq!(maker.count(), 2);
}

#[test]
fn what_was_published_is_renewed_in_the_background() {
    let (maker, cache, passed) = kept(&piece("old", NOW + 365 * DAY));
    passed.pass(6 * HOUR - 1);
    assert_eq!(now(cache.refresh(at(NOW))).renewed, 0);
    passed.pass(1);
    assert_eq!(now(cache.refresh(at(NOW))).renewed, 1);
    assert_eq!(maker.count(), 2);
}

#[test]
fn a_clock_that_is_set_back_by_a_minute_each_minute_keeps_nothing_young() {
    let (maker, cache, passed) = kept(&piece("old", NOW + 365 * DAY));
    for _ in 0..6 * 60 {
        passed.pass(60);
        for clock in [NOW + 59, NOW] {
            now(cache.refresh(at(clock)));
        }
    }
    assert_eq!(maker.count(), 2);
}

#[test]
fn a_failure_puts_a_renewal_off_for_no_longer() {
    let (maker, cache, passed) = kept(&piece("old", NOW + 365 * DAY));
    maker.prepare("list", Err(unreachable()));
    passed.pass(6 * HOUR);
    now(cache.get("list", at(NOW))).unwrap();
    assert_eq!(maker.count(), 2);
    let revoking = piece("revoking", NOW + 365 * DAY);
    maker.prepare("list", Ok(revoking.clone()));
    now(cache.get("list", at(NOW))).unwrap();
    assert_eq!(maker.count(), 2);
    passed.pass(CacheLimits::default().longest_pause.as_secs());
    assert_eq!(now(cache.get("list", at(NOW))), Ok(revoking));
}

#[test]
fn a_task_that_renews_no_longer_is_not_relied_upon() {
    let (maker, cache, passed) = kept(&piece("old", NOW + 365 * DAY));
    now(cache.refresh(at(NOW)));
    let revoking = piece("revoking", NOW + 365 * DAY);
    maker.prepare("list", Ok(revoking.clone()));
    passed.pass(6 * HOUR);
    assert_eq!(now(cache.get("list", at(NOW))), Ok(revoking));
}

#[test]
fn fetches_go_on_after_a_burst() {
    let (maker, cache, passed) = kept(&piece("old", NOW + 365 * DAY));
    let limits = CacheLimits::default();
    for key in 1..limits.burst {
        let key = key.to_string();
        maker.prepare(&key, Err(unreachable()));
        drop(now(cache.get(&key, at(NOW))));
    }
    maker.prepare("more", Err(unreachable()));
    let fetches = maker.count();
    drop(now(cache.get("more", at(NOW))));
    assert_eq!(maker.count(), fetches);
    passed.pass(limits.interval.as_secs());
    drop(now(cache.get("more", at(NOW))));
    assert_eq!(maker.count(), fetches + 1);
}

#[test]
fn nothing_is_valid_for_longer() {
    let (maker, cache, passed) = kept(&piece("old", NOW + HOUR));
    maker.prepare("list", Err(unreachable()));
    passed.pass(HOUR - 1);
    assert!(now(cache.get("list", at(NOW))).is_ok());
    passed.pass(1);
    assert_eq!(now(cache.get("list", at(NOW))), Err(unreachable()));
}

#[test]
fn no_grace_is_longer() {
    let policy = StalePolicy::dangerous_while_unreachable(Duration::from_secs(DAY));
    let (maker, cache, passed) = kept_under(&piece("old", NOW + HOUR), policy);
    maker.prepare("list", Err(unreachable()));
    passed.pass(HOUR + DAY - 1);
    assert!(now(cache.get("list", at(NOW))).is_ok());
    passed.pass(1);
    assert_eq!(now(cache.get("list", at(NOW))), Err(unreachable()));
}

#[test]
fn what_comes_from_disk_ages_from_then_on() {
    let folder = absent_folder(env!("CARGO_TARGET_TMPDIR"), "still");
    let (maker, passed) = (Maker::default(), Passed::default());
    let open = || {
        let builder = Cache::builder(maker.clone()).directory(&folder);
        builder.steady_clock(passed.clock()).build().unwrap()
    };
    maker.prepare("list", Ok(piece("old", NOW + HOUR)));
    now(open().get("list", at(NOW))).unwrap();
    maker.prepare("list", Err(CollateralError::Status(404)));
    let again = open();
    assert!(now(again.get("list", at(NOW))).is_ok());
    passed.pass(HOUR - 1);
    assert!(now(again.get("list", at(NOW))).is_ok());
    passed.pass(1);
    assert!(now(again.get("list", at(NOW))).is_err());
    std::fs::remove_dir_all(folder).unwrap();
}
