//! Files that are not believed.

use std::fs;
use std::path::Path;

use atls_collateral::Cache;
use atls_collateral::Fetch;
use test_support::at;

use crate::directory::fill;
use crate::directory::open;
use crate::directory::unreachable;
use crate::directory::with_limits;
use crate::support::DAY;
use crate::support::HOUR;
use crate::support::Maker;
use crate::support::NOW;
use crate::support::folder;
use crate::support::now;
use crate::support::numbered;
use crate::support::piece;

#[test]
fn a_damaged_file_is_fetched_again() {
    let folder = folder("damaged");
    fill(&folder, &[("a", piece("contents", NOW + HOUR))]);
    let file = only_file(&folder);
    let good = fs::read(&file).unwrap();
    let mut damages = vec![Vec::new(), vec![0; 10_000], good[..good.len() - 1].to_vec()];
    for at in 0..good.len() {
        let mut damaged = good.clone();
        damaged[at] ^= 1;
        damages.push(damaged);
    }
    for damaged in damages {
        fs::write(&file, damaged).unwrap();
        let (maker, cache) = open(&folder);
        maker.prepare("a", Ok(piece("again", NOW + HOUR)));
        assert_eq!(
            now(cache.get("a", at(NOW))).unwrap(),
            piece("again", NOW + HOUR)
        );
        assert_eq!(maker.count(), 1);
    }
}

#[test]
fn a_file_of_another_key_is_not_taken_for_it() {
    let folder = folder("renamed");
    fill(&folder, &[("a", piece("of a", NOW + HOUR))]);
    fs::rename(folder.join("a.collateral"), folder.join("b.collateral")).unwrap();
    let (maker, cache) = open(&folder);
    maker.prepare("b", Ok(piece("of b", NOW + HOUR)));
    assert_eq!(
        now(cache.get("b", at(NOW))).unwrap(),
        piece("of b", NOW + HOUR)
    );
}

#[test]
fn a_file_larger_than_the_limit_is_not_read() {
    let folder = folder("large");
    let large = piece("12345", NOW + HOUR);
    let length = large.bytes.len();
    fill(&folder, &[("a", large)]);
    for (max_bytes, fetches) in [(length, 0), (length - 1, 1)] {
        let maker = Maker::default();
        maker.prepare("a", Ok(piece("1234", NOW + HOUR)));
        let cache = with_limits(&folder, &maker, |limits| limits.max_bytes = max_bytes);
        now(cache.get("a", at(NOW))).unwrap();
        assert_eq!(maker.count(), fetches);
    }
}

#[test]
fn rejected_contents_leave_the_disk_and_are_fetched_at_once() {
    let folder = folder("rejected");
    fill(&folder, &[("a", piece("tampered", NOW + HOUR))]);
    let (maker, cache) = open(&folder);
    let tampered = now(cache.get("a", at(NOW))).unwrap();
    cache.reject("a", &tampered, at(NOW));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    maker.prepare("a", Ok(piece("genuine", NOW + HOUR)));
    assert_eq!(
        now(cache.get("a", at(NOW))).unwrap(),
        piece("genuine", NOW + HOUR)
    );
    assert_eq!(maker.count(), 1);
}

#[test]
fn no_two_keys_share_a_file_and_none_leaves_the_directory() {
    let outer = folder("names");
    let folder = outer.join("inner");
    let keys = [
        "a/b", "a-b", "a_b", "ab", "a/b/", "/a/b", "//", "/", "///", "tmp", "a/tmp",
    ];
    let pieces: Vec<_> = keys.map(|key| (key, piece(key, NOW + HOUR))).into();
    fill(&folder, &pieces);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), keys.len());
    assert_eq!(fs::read_dir(&outer).unwrap().count(), 1);
    let (maker, cache) = open(&folder);
    for key in keys {
        let fetched = now(cache.get(key, at(NOW))).unwrap();
        assert_eq!(fetched, piece(key, NOW + HOUR));
    }
    assert_eq!(maker.count(), 0);
}

#[cfg(unix)]
#[test]
fn files_and_directory_are_for_this_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder("mode");
    fill(&folder, &[("a", piece("one", NOW + HOUR))]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&only_file(&folder)), 0o600);
}

#[cfg(unix)]
#[test]
fn a_link_that_somebody_laid_is_not_written_through() {
    let folder = folder("link");
    let (maker, cache) = open(&folder);
    let target = folder.join("precious");
    fs::write(&target, "precious").unwrap();
    for name in ["a.tmp", "a.collateral"] {
        std::os::unix::fs::symlink(&target, folder.join(name)).unwrap();
    }
    maker.prepare("a", Ok(piece("one", NOW + HOUR)));
    now(cache.get("a", at(NOW))).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    let file = fs::symlink_metadata(folder.join("a.collateral")).unwrap();
    assert!(file.is_file());
}

#[test]
fn the_remains_of_a_crash_are_overwritten() {
    let folder = folder("crash");
    let (maker, cache) = open(&folder);
    fs::write(folder.join("a.tmp"), "half a fi").unwrap();
    maker.prepare("a", Ok(piece("one", NOW + HOUR)));
    now(cache.get("a", at(NOW))).unwrap();
    assert_eq!(cache.stats().disk_failures, 0);
    assert_eq!(only_file(&folder), folder.join("a.collateral"));
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_does_no_harm() {
    let folder = folder("full");
    let (maker, cache) = open(&folder);
    fs::remove_dir(&folder).unwrap();
    maker.prepare("a", Ok(piece("one", NOW + HOUR)));
    assert!(now(cache.get("a", at(NOW))).is_ok());
    assert_eq!(cache.stats().disk_failures, 1);
    now(cache.refresh(at(NOW)));
    fs::write(&folder, "not a directory").unwrap();
    assert!(
        Cache::builder(maker)
            .directory(folder.join("below"))
            .build()
            .is_err()
    );
}

/// Somebody who can write here, and has what was once genuine.
#[test]
fn dates_and_numbers_of_a_file_are_not_believed() {
    let folder = folder("hostile");
    let genuine = numbered(3, NOW + HOUR);
    let mut hostile = genuine.clone();
    hostile.fresh_until = at(u64::MAX);
    hostile.sequence = vec![u64::MAX];
    fill(&folder, &[("a", hostile)]);
    let (maker, cache) = open(&folder);
    assert_eq!(now(cache.get("a", at(NOW))), Ok(genuine));
    let next = numbered(4, NOW + DAY);
    maker.prepare("a", Ok(next.clone()));
    assert_eq!(now(cache.get("a", at(NOW + HOUR))), Ok(next));
}

#[test]
fn contents_that_the_platform_cannot_read_are_fetched_again() {
    let folder = folder("forged");
    fill(&folder, &[("a", piece("forged", NOW + DAY))]);
    let (maker, cache) = open(&folder);
    maker.prepare("a", Err(unreachable()));
    assert_eq!(now(cache.get("a", at(NOW))), Err(unreachable()));
    let genuine = piece("genuine", NOW + DAY);
    maker.prepare("a", Ok(genuine.clone()));
    assert_eq!(now(cache.get("a", at(NOW + 9))), Ok(genuine.clone()));
    let (_, cache) = open(&folder);
    assert_eq!(now(cache.get("a", at(NOW + 9))), Ok(genuine));
}

#[test]
fn a_file_from_the_future_is_old() {
    let folder = folder("future");
    let maker = Maker::default();
    maker.prepare("a", Ok(piece("one", NOW + 300 * DAY)));
    let cache = with_limits(&folder, &maker, |_| {});
    now(cache.get("a", at(NOW + 200 * DAY))).unwrap();
    let cache = with_limits(&folder, &maker, |_| {});
    now(cache.get("a", at(NOW))).unwrap();
    assert_eq!(maker.count(), 2);
}

fn only_file(folder: &Path) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder).unwrap();
    let only = files.next().unwrap().unwrap().path();
    assert!(files.next().is_none());
    only
}
