//! A maker who publishes a list that is good for seconds, and another one that nobody has.

use std::sync::Arc;
use std::time::Duration;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

pub(crate) struct Maker;

impl Fetch for Maker {
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        let end = Duration::from_secs(now.as_secs().saturating_add(GOOD_FOR));
        let fetched = match key {
            "list" => Ok(Fetched::new(
                b"list".to_vec(),
                UnixTime::since_unix_epoch(end),
            )),
            _ => Err(CollateralError::Expired),
        };
        Box::pin(async { fetched })
    }

    fn read(&self, _: &str, _: Arc<[u8]>, _: UnixTime) -> Result<Fetched, CollateralError> {
        Err(CollateralError::Expired)
    }
}

/// Seconds.
const GOOD_FOR: u64 = 30;
