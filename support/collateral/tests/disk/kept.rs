//! Files that serve after a restart.

use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::StalePolicy;
use test_support::at;

use crate::directory::fill;
use crate::directory::open;
use crate::directory::unreachable;
use crate::support::DAY;
use crate::support::HOUR;
use crate::support::NOW;
use crate::support::folder;
use crate::support::now;
use crate::support::numbered;
use crate::support::piece;

#[test]
fn a_restart_fetches_nothing() {
    let folder = folder("restart").join("made/where/absent");
    fill(&folder, &[("tdx/crl-1", piece("one", NOW + HOUR))]);
    let (maker, cache) = open(&folder);
    assert_eq!(
        now(cache.get("tdx/crl-1", at(NOW + HOUR - 1))).unwrap(),
        piece("one", NOW + HOUR)
    );
    assert_eq!(maker.count(), 0);
}

#[test]
fn expired_files_are_not_given() {
    let folder = folder("expired");
    fill(&folder, &[("a", piece("one", NOW + HOUR))]);
    let (maker, cache) = open(&folder);
    maker.prepare("a", Err(unreachable()));
    assert_eq!(
        now(cache.get("a", at(NOW + HOUR))).unwrap_err(),
        unreachable()
    );
    // The name of the policy allows it.
    let cache = Cache::builder(maker.clone())
        .directory(&folder)
        .stale_policy(StalePolicy::dangerous_while_unreachable(
            Duration::from_secs(10),
        ))
        .build()
        .unwrap();
    assert!(now(cache.get("a", at(NOW + HOUR + 9))).is_ok());
    assert!(now(cache.get("a", at(NOW + HOUR + 10))).is_err());
}

#[test]
fn a_number_of_issue_survives_a_restart() {
    let folder = folder("sequence");
    fill(&folder, &[("a", numbered(7, NOW + HOUR))]);
    let (maker, cache) = open(&folder);
    now(cache.refresh(at(NOW + 2 * HOUR)));
    maker.prepare("a", Ok(numbered(6, NOW + DAY)));
    assert_eq!(
        now(cache.get("a", at(NOW + 2 * HOUR))).unwrap_err(),
        CollateralError::RolledBack
    );
}
