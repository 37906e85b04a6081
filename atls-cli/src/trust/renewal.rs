//! Renews collateral in the background: a service runs for longer than it is valid.

use std::convert::Infallible;

use atls_collateral::Cache;
use atls_collateral::Fetch;
use atls_collateral::Refreshed;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

/// Renews what the cache holds, ahead of its end and by age, for as long as it is polled.
pub(super) fn of<F: Fetch + 'static>(
    cache: &Cache<F>,
    now: impl Fn() -> UnixTime + Send + Sync + 'static,
) -> BoxFuture<'static, Infallible> {
    Box::pin(
        cache
            .clone()
            .keep_fresh(now, tokio::time::sleep, |refreshed| {
                tell(&refreshed);
            }),
    )
}

/// Names of pieces may name a machine, and stay out of the log.
fn tell(refreshed: &Refreshed) {
    let Some((_, error)) = refreshed.failed.first() else {
        return;
    };
    let failed = refreshed.failed.len();
    tracing::warn!(fault = "verifier", failed, %error, "collateral was not renewed: it is used until it ends");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use atls_collateral::CacheLimits;
    use atls_collateral::CollateralError;
    use atls_collateral::Fetched;
    use tokio::time::Instant;

    use super::*;

    /// A time of the clock that may be set.
    const BEGINNING: Duration = Duration::from_secs(1_800_000_000);

    /// Counts how often it is asked. Each piece is good for a day.
    #[derive(Clone, Default)]
    struct Maker(Arc<AtomicUsize>);

    impl Fetch for Maker {
        fn fetch<'a>(
            &'a self,
            key: &'a str,
            now: UnixTime,
        ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let fetched = self.read(key, Arc::new([7]), now);
            Box::pin(async move { fetched })
        }

        fn read(
            &self,
            _: &str,
            bytes: Arc<[u8]>,
            now: UnixTime,
        ) -> Result<Fetched, CollateralError> {
            let until = now.as_secs().saturating_add(86_400);
            let until = UnixTime::since_unix_epoch(Duration::from_secs(until));
            Ok(Fetched::new(bytes, until))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn collateral_is_renewed_although_no_connection_asks() {
        let began = Instant::now();
        let now = move || UnixTime::since_unix_epoch(began.elapsed().saturating_add(BEGINNING));
        let maker = Maker::default();
        let cache = Cache::builder(maker.clone())
            .steady_clock(move || began.elapsed())
            .build()
            .unwrap();
        cache.get("tdx/90c06f000000/platform", now()).await.unwrap();
        let renewing = tokio::spawn(of(&cache, now));
        let thrice = CacheLimits::default().refresh_after.saturating_mul(3);
        tokio::time::sleep(thrice).await;
        renewing.abort();
        assert!(maker.0.load(Ordering::Relaxed) > 2);
    }
}
