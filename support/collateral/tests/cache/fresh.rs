//! Pieces that are kept, given and replaced.

use std::sync::Arc;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::http::HttpError;
use test_support::at;

use crate::pieces::limits;
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
