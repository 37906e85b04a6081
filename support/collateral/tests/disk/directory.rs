//! A cache over a directory.

use std::fs;
use std::path::Path;

use atls_collateral::Cache;
use atls_collateral::CacheLimits;
use atls_collateral::CollateralError;
use atls_core::http::HttpError;
use test_support::at;

use crate::support::Maker;
use crate::support::NOW;
use crate::support::now;

pub(crate) fn open(folder: &Path) -> (Maker, Cache<Maker>) {
    let maker = Maker::default();
    (maker.clone(), with_limits(folder, &maker, |_| {}))
}

pub(crate) fn with_limits(
    folder: &Path,
    maker: &Maker,
    change: impl FnOnce(&mut CacheLimits),
) -> Cache<Maker> {
    let mut limits = CacheLimits::default();
    change(&mut limits);
    Cache::builder(maker.clone())
        .limits(limits)
        .directory(folder)
        .build()
        .unwrap()
}

/// The files of an earlier process.
pub(crate) fn fill(folder: &Path, pieces: &[(&str, atls_collateral::Fetched)]) {
    let (maker, cache) = open(folder);
    for (key, fetched) in pieces {
        maker.prepare(key, Ok(fetched.clone()));
        now(cache.get(key, at(NOW))).unwrap();
    }
    assert_eq!(cache.stats().disk_failures, 0);
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub(crate) fn unreachable() -> CollateralError {
    HttpError::Unreachable("no route".to_owned()).into()
}
