//! Collateral from its maker, or from a cache before it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

use super::Collateral;
use super::CollateralSource;
use crate::genuine::Platform;
use crate::genuine::VerifiedPlatform;

/// Collateral by [`Fetch`]: from Intel's service or a PCCS by [`Pcs`](super::Pcs), best behind
/// [`atls_collateral::Cache`], which asks once for many connections and backs off from a service that fails.
///
/// Parsed collateral is kept for an hour, so that Intel's revocations are seen soon after the cache sees them.
pub struct FetchedCollateral {
    fetch: Arc<dyn Fetch>,
    held: Mutex<BTreeMap<Platform, Held>>,
}

struct Held {
    collateral: Arc<Collateral>,
    fetched: Fetched,
    /// Seconds since the epoch.
    since: u64,
}

impl FetchedCollateral {
    /// Asks `fetch` with keys `tdx/90c06f000000/platform`: technology, FMSPC, issuer of the PCK certificate.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            held: Mutex::default(),
        }
    }

    async fn ask(
        &self,
        platform: &Platform,
        now: UnixTime,
    ) -> Result<Arc<Collateral>, CollateralError> {
        let key = key(platform);
        let mut read = self.read(platform, &key, now).await?;
        if read.is_err() {
            // What was kept is gone now. Its maker may give better.
            read = self.read(platform, &key, now).await?;
        }
        let (collateral, fetched) = read?;
        let mut held = self.lock();
        if held.len() >= MAX_HELD && !held.contains_key(platform) {
            held.pop_first();
        }
        let entry = Held {
            collateral: Arc::clone(&collateral),
            fetched,
            since: now.as_secs(),
        };
        held.insert(*platform, entry);
        Ok(collateral)
    }

    /// The inner error says that what was given is no good, and was rejected.
    async fn read(
        &self,
        platform: &Platform,
        key: &str,
        now: UnixTime,
    ) -> Result<Result<(Arc<Collateral>, Fetched), CollateralError>, CollateralError> {
        let fetched = self.fetch.fetch(key, now).await?;
        let collateral = Collateral::decode(&fetched.bytes)
            .ok()
            .filter(|collateral| collateral.platform() == platform);
        let problem = match collateral {
            None => CollateralError::Malformed,
            // Said to be fresh, and by its own dates it is not.
            Some(collateral) if now < fetched.fresh_until && !collateral.is_current(now) => {
                CollateralError::Expired
            }
            Some(collateral) => {
                let collateral = Arc::new(collateral.kept_as(&fetched));
                return Ok(Ok((collateral, fetched)));
            }
        };
        self.fetch.reject(key, &fetched, now);
        Ok(Err(problem))
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
                // Old, and perhaps not too old: its dates are looked at where it is used.
                Err(error) => match self.lock().get(platform) {
                    Some(held) => Ok(Some(Arc::clone(&held.collateral))),
                    None => Err(error),
                },
            }
        })
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

/// Lower-case letters, digits and `/` only.
pub(super) fn key(platform: &Platform) -> String {
    let tee = super::pcs::tee_name(platform.tee);
    let fmspc = atls_reference::Digest::from(platform.fmspc);
    format!("{tee}/{fmspc}/{}", platform.ca.name())
}

/// Seconds.
const HOLD: u64 = 60 * 60;

/// Kinds of platform; a fleet has a handful.
const MAX_HELD: usize = 64;
