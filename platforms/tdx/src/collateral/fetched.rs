//! Collateral from its maker, or from a cache before it.

use std::collections::BTreeMap;
use std::fmt;
use std::future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Poll;

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
/// Parsed collateral is kept for a minute: what the cache renews is used a minute later.
///
/// Intel's early issue is asked for beside it, so that platforms which it would refuse are known before it becomes the
/// standard one. No appraisal waits for it or fails by it: its request is dropped once the standard issue is there.
/// [`Cache::keep_fresh`](atls_collateral::Cache::keep_fresh) sees a dropped request to its end. Without it the early issue is obtained
/// only if it comes before the standard one, while that has to be fetched. It may never come, and then nothing warns.
pub struct FetchedCollateral {
    fetch: Arc<dyn Fetch>,
    asks_early: bool,
    held: Mutex<BTreeMap<Platform, Held>>,
    early: Mutex<BTreeMap<Platform, Arc<Collateral>>>,
}

struct Held {
    collateral: Arc<Collateral>,
    fetched: Fetched,
    /// Seconds since the epoch.
    since: u64,
}

impl FetchedCollateral {
    /// Asks `fetch` with keys `tdx/90c06f000000/platform`: technology, FMSPC, issuer of the PCK certificate; and the same with
    /// `/early` behind it for Intel's early issue.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            asks_early: true,
            ..Self::standard_only(fetch)
        }
    }

    /// Never asks for Intel's early issue: half the requests, and no warning of platforms that will be refused.
    pub fn standard_only(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            asks_early: false,
            held: Mutex::default(),
            early: Mutex::default(),
        }
    }

    async fn ask(
        &self,
        platform: &Platform,
        now: UnixTime,
    ) -> Result<Arc<Collateral>, CollateralError> {
        let key = key(platform);
        // What a cache had kept is fetched anew at once, what Intel just gave is not.
        let mut problem = CollateralError::Malformed;
        for attempt in 0..2 {
            let fetched = if attempt == 0 && self.asks_early {
                self.fetch_beside_early(platform, &key, now).await?
            } else {
                self.fetch.fetch(&key, now).await?
            };
            match self.parsed(platform, &fetched, now) {
                Ok(collateral) => {
                    self.hold(*platform, &collateral, fetched, now);
                    return Ok(collateral);
                }
                Err(error) => problem = error,
            }
            self.fetch.reject(&key, &fetched, now);
        }
        Err(problem)
    }

    /// Until the standard issue is there. A request for the early one that is not through by then is dropped. A cache goes on
    /// with it in `keep_fresh`, or else for one poll whenever the next appraisal asks.
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
            // First, so that where a cache has a budget the standard issue gets it.
            let outcome = standard.as_mut().poll(context);
            let polled = early.as_mut().map(|early| early.as_mut().poll(context));
            if let Some(Poll::Ready(fetched)) = polled {
                early = None;
                // That there is none, or none that can be read, takes a warning away and nothing else.
                if let Ok(fetched) = fetched {
                    self.hold_early(*platform, &fetched);
                }
            }
            outcome
        })
        .await
    }

    fn hold_early(&self, platform: Platform, fetched: &Fetched) {
        let collateral = Collateral::decode(&fetched.bytes).ok();
        let Some(collateral) = collateral.filter(|early| *early.platform() == platform) else {
            return;
        };
        let mut held = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MAX_HELD && !held.contains_key(&platform) {
            held.pop_first();
        }
        held.insert(platform, Arc::new(collateral));
    }

    /// Of that platform, and no longer valid than it says itself.
    fn parsed(
        &self,
        platform: &Platform,
        fetched: &Fetched,
        now: UnixTime,
    ) -> Result<Arc<Collateral>, CollateralError> {
        if let Some(held) = self.lock().get(platform)
            && held.fetched == *fetched
            && held.collateral.is_current(now)
        {
            return Ok(Arc::clone(&held.collateral));
        }
        let collateral = Collateral::decode(&fetched.bytes)
            .ok()
            .filter(|collateral| collateral.platform() == platform)
            .ok_or(CollateralError::Malformed)?;
        // Said to be fresh, and by its own dates it is not.
        if now < fetched.fresh_until && !collateral.is_current(now) {
            return Err(CollateralError::Expired);
        }
        Ok(Arc::new(collateral.kept_as(fetched)))
    }

    fn hold(
        &self,
        platform: Platform,
        collateral: &Arc<Collateral>,
        fetched: Fetched,
        now: UnixTime,
    ) {
        let mut held = self.lock();
        if held.len() >= MAX_HELD && !held.contains_key(&platform) {
            held.pop_first();
        }
        let entry = Held {
            collateral: Arc::clone(collateral),
            fetched,
            since: now.as_secs(),
        };
        held.insert(platform, entry);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Platform, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CollateralSource for FetchedCollateral {
    fn at_hand(&self, platform: &Platform, now: UnixTime) -> Option<Arc<Collateral>> {
        let held = self.lock();
        let held = held.get(platform)?;
        let age = now.as_secs().checked_sub(held.since)?;
        let usable = age < HOLD && held.collateral.is_current(now);
        usable.then(|| Arc::clone(&held.collateral))
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
            match self.ask(platform, now).await {
                Ok(collateral) => Ok(Some(collateral)),
                // Valid still; or old, and while Intel is out perhaps not too old: that is found where it is used.
                Err(error) => match self.lock().get(platform) {
                    Some(held) if held.collateral.is_current(now) || error.is_outage() => {
                        Ok(Some(Arc::clone(&held.collateral)))
                    }
                    _ => Err(error),
                },
            }
        })
    }

    fn early(&self, platform: &Platform, _now: UnixTime) -> Option<Arc<Collateral>> {
        let held = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(platform).cloned()
    }

    fn reject(&self, collateral: &Collateral, now: UnixTime) {
        let platform = collateral.platform();
        let mut held = self.lock();
        let known = held.get(platform);
        if known.is_some_and(|known| *known.collateral == *collateral)
            && let Some(known) = held.remove(platform)
        {
            drop(held);
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
const HOLD: u64 = 60;

/// Kinds of platform; a fleet has a handful.
const MAX_HELD: usize = 64;
