//! The use of a piece while its maker is out.

use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::MAX_GRACE;
use atls_collateral::StalePolicy;
use atls_core::http::HttpError;
use atls_core::http::NotSent;
use test_support::at;

use crate::pieces::prepared;
use crate::pieces::unreachable;
use crate::support::DAY;
use crate::support::HOUR;
use crate::support::Maker;
use crate::support::NOW;
use crate::support::now;
use crate::support::piece;

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
