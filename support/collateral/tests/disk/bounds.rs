//! Files that are removed, and their number.

use std::fs;

use atls_collateral::CollateralError;
use test_support::at;

use crate::directory::fill;
use crate::directory::names;
use crate::directory::open;
use crate::directory::with_limits;
use crate::support::DAY;
use crate::support::Maker;
use crate::support::NOW;
use crate::support::folder;
use crate::support::now;
use crate::support::numbered;
use crate::support::piece;

#[test]
fn refresh_removes_what_is_of_no_use() {
    let folder = folder("prune");
    fill(
        &folder,
        &[
            ("expired", piece("1", NOW + 10)),
            ("numbered", numbered(1, NOW + 10)),
            ("fresh", piece("3", NOW + DAY)),
        ],
    );
    fs::write(folder.join("rotten.collateral"), "?").unwrap();
    fs::write(folder.join("not-ours"), "?").unwrap();
    let (_, cache) = open(&folder);
    now(cache.refresh(at(NOW + 10)));
    assert_eq!(
        names(&folder),
        ["fresh.collateral", "not-ours", "numbered.collateral"]
    );
}

#[test]
fn files_are_bounded_in_number() {
    let folder = folder("bounded");
    let (maker, cache) = open(&folder);
    // The file that expires first is not the one that goes first.
    for (second, (key, days)) in [("a", 3), ("b", 1), ("c", 4), ("d", 2)].iter().enumerate() {
        let second = u64::try_from(second).unwrap();
        maker.prepare(key, Ok(piece(key, NOW + days * DAY)));
        now(cache.get(key, at(NOW + second))).unwrap();
    }
    let cache = with_limits(&folder, &Maker::default(), |limits| limits.max_files = 2);
    // The first to be written, and the last to be read.
    now(cache.get("a", at(NOW + 100))).unwrap();
    now(cache.refresh(at(NOW + 100)));
    assert_eq!(names(&folder), ["a.collateral", "d.collateral"]);
}

/// Certificates of devices live for years, lists for weeks.
#[test]
fn however_many_devices_there_are_lists_and_their_numbers_stay() {
    let folder = folder("mixed");
    let maker = Maker::default();
    let cache = with_limits(&folder, &maker, |limits| limits.max_files = 5);
    let list = numbered(7, NOW + DAY);
    maker.prepare("list", Ok(list.clone()));
    now(cache.get("list", at(NOW))).unwrap();
    for number in 0..40 {
        let key = format!("device/{number}");
        maker.prepare(&key, Ok(piece(&key, NOW + 2_000 * DAY)));
        now(cache.get(&key, at(NOW + 1))).unwrap();
        now(cache.refresh(at(NOW + 1)));
    }
    assert_eq!(names(&folder).len(), 6);
    let (maker, cache) = open(&folder);
    assert_eq!(now(cache.get("list", at(NOW + 2))), Ok(list));
    maker.prepare("list", Ok(numbered(6, NOW + 9 * DAY)));
    now(cache.refresh(at(NOW + 2 * DAY)));
    assert_eq!(
        now(cache.get("list", at(NOW + 2 * DAY))),
        Err(CollateralError::RolledBack)
    );
}

#[test]
fn files_of_devices_are_bounded_where_nobody_refreshes() {
    let folder = folder("unattended");
    let maker = Maker::default();
    for _ in 0..2 {
        let cache = with_limits(&folder, &maker, |limits| limits.max_files = 10);
        for number in 0..40 {
            let key = format!("device/{number}");
            maker.prepare(&key, Ok(piece(&key, NOW + DAY)));
            now(cache.get(&key, at(NOW))).unwrap();
        }
        assert_eq!(cache.stats().disk_failures, 0);
        assert_eq!(names(&folder).len(), 20);
    }
}
