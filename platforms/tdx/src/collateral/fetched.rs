//! Collateral from its maker, or from a cache before it.
//!
//! A platform goes in; a key is made of it, bytes are fetched by the key, and parsed collateral comes out. Bytes of another platform or form
//! are rejected and fetched once more. While the maker is out, collateral that is kept comes out, although it may have expired.

use std::collections::BTreeMap;
use std::fmt;
use std::future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;
use std::time::Instant;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

use super::bundle::Collateral;
use super::key::EARLY;
use super::key::key;
use super::source::CollateralSource;
use crate::platform::Platform;
use crate::platform::VerifiedPlatform;

/// Collateral by [`Fetch`]: from Intel's service or a PCCS by [`Pcs`](super::Pcs), best behind
/// [`atls_collateral::Cache`], which asks once for many connections and backs off from a service that fails.
///
/// Parsed collateral is kept for a minute, so collateral that the cache renews is used a minute later. That is a minute of the clock of the
/// callers or of one that is never set, whichever goes faster.
///
/// It also asks for Intel's early issue, so that the platforms that this one would refuse are known before it becomes the
/// standard one. No appraisal waits for it or fails by it: its request is dropped once the standard issue is there.
/// [`Cache::keep_fresh`](atls_collateral::Cache::keep_fresh) sees a dropped request to its end. Without it the early issue is obtained
/// only if it comes before the standard one, while that has to be fetched. It may never come, and then nothing warns.
pub struct FetchedCollateral {
    fetch: Arc<dyn Fetch>,
    asks_early: bool,
    kept: Mutex<BTreeMap<Platform, KeptCollateral>>,
    generation: AtomicU64,
    early: Mutex<BTreeMap<Platform, Arc<Collateral>>>,
    /// The time since any beginning, by a clock that is never set.
    steady: Box<dyn Fn() -> Duration + Send + Sync>,
}

/// Collateral that was parsed, and the bytes that it was parsed from.
struct KeptCollateral {
    collateral: Arc<Collateral>,
    fetched: Fetched,
    /// Seconds since the epoch.
    since: u64,
    /// The same moment by the clock that is never set.
    steady: Duration,
}

impl KeptCollateral {
    /// Whether it has not expired, also by a clock that would have gone on since.
    fn is_current(&self, now: UnixTime, steady: Duration) -> bool {
        let passed = steady.saturating_sub(self.steady);
        let gone_on = Duration::from_secs(self.since).saturating_add(passed);
        let latest = now.max(UnixTime::since_unix_epoch(gone_on));
        self.collateral.is_current(now) && self.collateral.is_current(latest)
    }
}

impl FetchedCollateral {
    /// Asks `fetch` with keys `tdx/90c06f000000/platform`: technology, FMSPC, issuer of the PCK certificate; and the same with
    /// `/early` behind it for Intel's early issue.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        let began = Instant::now();
        Self {
            fetch,
            asks_early: true,
            kept: Mutex::default(),
            generation: AtomicU64::new(0),
            early: Mutex::default(),
            steady: Box::new(move || began.elapsed()),
        }
    }

    /// Sets the clock by which parsed collateral ages beside that of the callers: the time since any beginning, by one that is never set. By
    /// default it is the monotonic clock of the system.
    #[must_use]
    pub fn steady_clock(mut self, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.steady = Box::new(elapsed);
        self
    }

    /// Asks for Intel's standard issue alone: half the requests, and no warning of platforms that will be refused.
    #[must_use]
    pub fn without_early(mut self) -> Self {
        self.asks_early = false;
        self
    }

    async fn ask(
        &self,
        platform: &Platform,
        now: UnixTime,
    ) -> Result<Arc<Collateral>, CollateralError> {
        let key = key(platform);
        // Bytes that a cache had kept are fetched anew at once; bytes that Intel just gave are not.
        let mut problem = CollateralError::Malformed;
        for attempt in 0..2 {
            let fetched = if attempt == 0 && self.asks_early {
                self.fetch_beside_early(platform, &key, now).await?
            } else {
                self.fetch.fetch(&key, now).await?
            };
            match self.parsed(platform, &fetched, now) {
                Ok(collateral) => {
                    self.keep(*platform, &collateral, fetched, now);
                    return Ok(collateral);
                }
                Err(error) => problem = error,
            }
            self.fetch.reject(&key, &fetched, now);
        }
        Err(problem)
    }

    /// Waits for the standard issue, and drops the request for the early one when that is there. A cache goes on with a dropped
    /// request in `keep_fresh`, or else for one poll whenever the next appraisal asks.
    async fn fetch_beside_early(
        &self,
        platform: &Platform,
        key: &str,
        now: UnixTime,
    ) -> Result<Fetched, CollateralError> {
        let early_key = format!("{key}{EARLY}");
        let mut standard = self.fetch.fetch(key, now);
        let mut early = Some(self.fetch.fetch(&early_key, now));
        future::poll_fn(|context| {
            // The standard issue comes first, to get the budget that a cache may have.
            let outcome = standard.as_mut().poll(context);
            let polled = early.as_mut().map(|early| early.as_mut().poll(context));
            if let Some(Poll::Ready(fetched)) = polled {
                early = None;
                // Without a readable early issue there is no warning; nothing else changes.
                if let Ok(fetched) = fetched {
                    self.keep_early(*platform, &fetched);
                }
            }
            outcome
        })
        .await
    }

    fn keep_early(&self, platform: Platform, fetched: &Fetched) {
        let collateral = Collateral::decode(&fetched.bytes).ok();
        let Some(collateral) = collateral.filter(|early| *early.platform() == platform) else {
            return;
        };
        let mut kept = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT && !kept.contains_key(&platform) {
            kept.pop_first();
        }
        kept.insert(platform, Arc::new(collateral));
    }

    /// Parses collateral of this platform.
    ///
    /// # Errors
    /// [`CollateralError::Malformed`], and [`CollateralError::Expired`] for bytes that are said to be fresh and are not.
    fn parsed(
        &self,
        platform: &Platform,
        fetched: &Fetched,
        now: UnixTime,
    ) -> Result<Arc<Collateral>, CollateralError> {
        if let Some(kept) = self.lock().get(platform)
            && kept.fetched == *fetched
            && kept.collateral.is_current(now)
        {
            return Ok(Arc::clone(&kept.collateral));
        }
        let collateral = Collateral::decode(&fetched.bytes)
            .ok()
            .filter(|collateral| collateral.platform() == platform)
            .ok_or(CollateralError::Malformed)?;
        if now < fetched.fresh_until && !collateral.is_current(now) {
            return Err(CollateralError::Expired);
        }
        Ok(Arc::new(collateral.kept_as(fetched)))
    }

    fn keep(
        &self,
        platform: Platform,
        collateral: &Arc<Collateral>,
        fetched: Fetched,
        now: UnixTime,
    ) {
        let mut kept = self.lock();
        let known = kept.get(&platform);
        if known.is_none_or(|known| *known.collateral != **collateral) {
            self.generation.fetch_add(1, Ordering::Relaxed);
        }
        if kept.len() >= MAX_KEPT && !kept.contains_key(&platform) {
            kept.pop_first();
        }
        let entry = KeptCollateral {
            collateral: Arc::clone(collateral),
            fetched,
            since: now.as_secs(),
            steady: (self.steady)(),
        };
        kept.insert(platform, entry);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Platform, KeptCollateral>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CollateralSource for FetchedCollateral {
    fn at_hand(&self, platform: &Platform, now: UnixTime) -> Option<Arc<Collateral>> {
        let steady = (self.steady)();
        let kept = self.lock();
        let kept = kept.get(platform)?;
        let age = now.as_secs().checked_sub(kept.since)?;
        let age = age.max(steady.saturating_sub(kept.steady).as_secs());
        let usable = age < KEEP && kept.is_current(now, steady);
        usable.then(|| Arc::clone(&kept.collateral))
    }

    /// Renewed collateral raises it before anybody has asked for it: a result that is kept asks for none.
    fn generation(&self) -> u64 {
        let own = self.generation.load(Ordering::Relaxed);
        own.wrapping_add(self.fetch.generation())
    }

    fn can_fetch(&self) -> bool {
        true
    }

    fn fetch<'a>(
        &'a self,
        platform: &'a VerifiedPlatform,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Arc<Collateral>>, CollateralError>> {
        Box::pin(async move {
            let platform = platform.platform();
            let error = match self.ask(platform, now).await {
                Ok(collateral) => return Ok(Some(collateral)),
                Err(error) => error,
            };
            let steady = (self.steady)();
            match self.lock().get(platform) {
                // Kept collateral may still be valid.
                Some(kept) if kept.is_current(now, steady) => Ok(Some(kept.collateral.clone())),
                // While Intel is out it may be old. The verifier checks whether it is too old, by a clock that must have seen its end.
                Some(kept) if error.is_outage() && !kept.collateral.is_current(now) => {
                    Ok(Some(kept.collateral.clone()))
                }
                _ => Err(error),
            }
        })
    }

    fn early(&self, platform: &Platform, _now: UnixTime) -> Option<Arc<Collateral>> {
        let kept = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(platform).cloned()
    }

    fn reject(&self, collateral: &Collateral, now: UnixTime) {
        let platform = collateral.platform();
        let mut kept = self.lock();
        let known = kept.get(platform);
        if known.is_some_and(|known| *known.collateral == *collateral)
            && let Some(known) = kept.remove(platform)
        {
            drop(kept);
            self.fetch.reject(&key(platform), &known.fetched, now);
        }
    }
}

impl fmt::Debug for FetchedCollateral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchedCollateral").finish_non_exhaustive()
    }
}

/// Seconds.
const KEEP: u64 = 60;

/// Kinds of platform; a fleet has a handful.
const MAX_KEPT: usize = 64;
