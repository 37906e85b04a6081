//! The caches of these tests, and the pieces in them.

use atls_collateral::Cache;
use atls_collateral::CacheLimits;
use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_core::http::HttpError;

use crate::support::Maker;

pub(crate) fn open() -> (Maker, Cache<Maker>) {
    let maker = Maker::default();
    (maker.clone(), Cache::new(maker))
}

pub(crate) fn prepared(key: &str, fetched: Fetched) -> (Maker, Cache<Maker>) {
    let (maker, cache) = open();
    maker.prepare(key, Ok(fetched));
    (maker, cache)
}

pub(crate) fn limits(change: impl FnOnce(&mut CacheLimits)) -> CacheLimits {
    let mut limits = CacheLimits::default();
    change(&mut limits);
    limits
}

pub(crate) fn unreachable() -> CollateralError {
    HttpError::Unreachable("no route".to_owned()).into()
}
