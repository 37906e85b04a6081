//! The cache: kept to its validity, fetched once however many wait.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;
use futures_util::FutureExt;
use futures_util::future::Either;
use futures_util::future::select;

use crate::disk::Disk;
use crate::error::CollateralError;
use crate::fetch::Fetch;
use crate::fetch::Kind;
use crate::fetched::Fetched;
use crate::fetching::Next;
use crate::fetching::Purpose;
use crate::limits::CacheLimits;
use crate::limits::MAX_KEY;
use crate::limits::Settings;
use crate::limits::StalePolicy;
use crate::stats::Refreshed;
use crate::stats::Stats;
use crate::store::Store;

/// Collateral, kept in memory and on disk until its maker's word ends.
///
/// - What is fresh is given at once, what has expired never, unless a [`StalePolicy`] says so by name.
/// - Those who ask for one key at once wait for one fetch; who of them gives up does not stop it.
/// - Fetches are bounded in number and in rate, for each [`Kind`] apart. A key that failed is left alone for a moment, longer each time.
/// - [`keep_fresh`](Self::keep_fresh) renews in the background: ahead of the end, and by age, as what is still valid may
///   have been revoked meanwhile.
///
/// A clone is the same cache. Files are small, and are read and written where the future is polled.
pub struct Cache<F> {
    store: Arc<Store<F>>,
}

impl<F: Fetch + 'static> Cache<F> {
    /// In memory, with the default limits.
    pub fn new(fetch: F) -> Self {
        Self {
            store: Arc::new(Store::new(fetch, Settings::default(), None)),
        }
    }

    /// Starts from the default limits, [`StalePolicy::refuse`] and no directory.
    pub fn builder(fetch: F) -> CacheBuilder<F> {
        CacheBuilder {
            fetch,
            settings: Settings::default(),
            directory: None,
        }
    }

    /// One piece: from memory, from disk, or from its maker. Cancel-safe: a fetch that nobody waits for any more goes on
    /// when the next one asks, or at [`refresh`](Self::refresh), or by itself under [`keep_fresh`](Self::keep_fresh).
    ///
    /// What is valid is given at once where something renews in the background. Where nothing does, and it was fetched
    /// [`refresh_after`](CacheLimits::refresh_after) ago, one of those who ask waits for its renewal, and has the old one
    /// if that fails.
    ///
    /// # Errors
    /// [`CollateralError`]; there is nothing then, and the peer is to be refused. For a short while after a failure it is
    /// given again, and nothing is fetched.
    pub async fn get(&self, key: &str, now: UnixTime) -> Result<Fetched, CollateralError> {
        check(key)?;
        self.store.load(key, now);
        let error = match self.store.next(key, now, Purpose::Use) {
            Next::Have(fetched) => return Ok(fetched),
            Next::Refused(error) => error,
            Next::Underway(fetched, flight) => {
                // A push, in case that who started it has given up.
                let renewed = flight.now_or_never().and_then(Result::ok);
                let renewed = renewed.filter(|renewed| now < renewed.fresh_until);
                return Ok(renewed.unwrap_or(fetched));
            }
            Next::Wait(flight) => match flight.await {
                // It was fetched at the time of who asked first.
                Ok(fetched) if now < fetched.fresh_until => return Ok(fetched),
                Ok(_) => CollateralError::Expired,
                Err(error) => error,
            },
        };
        self.store.in_spite_of(error, key, now)
    }

    /// Renews what is in memory and due, one piece after the other: what was fetched
    /// [`refresh_after`](CacheLimits::refresh_after) ago, what expires soon, what has expired. Ends fetches that nobody waits
    /// for, and tidies the directory. A piece whose renewal fails is given for as long as it is valid.
    ///
    /// To be called from a timer of the application, at least every [`refresh_every`](CacheLimits::refresh_every); or
    /// let [`keep_fresh`](Self::keep_fresh) do that.
    pub async fn refresh(&self, now: UnixTime) -> Refreshed {
        self.store.attend(now);
        let mut done = Refreshed::default();
        for flight in self.store.abandoned(now) {
            let _ = flight.await;
        }
        for key in self.store.due(now) {
            let outcome = match self.store.next(&key, now, Purpose::Renew) {
                Next::Have(_) => continue,
                Next::Refused(error) => Err(error),
                Next::Underway(_, flight) | Next::Wait(flight) => flight.await,
            };
            match outcome {
                Ok(_) => done.renewed = done.renewed.saturating_add(1),
                Err(error) => done.failed.push((key, error)),
            }
        }
        self.store.prune(now);
        done
    }

    /// The background task, to be spawned once on any runtime; it never ends. It [refreshes](Self::refresh) every
    /// [`refresh_every`](CacheLimits::refresh_every), by the given clock and timer, and `report`s what came of it; and it
    /// sees each fetch to its end, also when the peers are gone for which it was made.
    ///
    /// While it runs, nobody waits for what is at hand and valid.
    pub async fn keep_fresh<S: Future<Output = ()>>(
        self,
        now: impl Fn() -> UnixTime,
        sleep: impl Fn(Duration) -> S,
        mut report: impl FnMut(Refreshed),
    ) -> Infallible {
        let store = Arc::clone(&self.store);
        let rounds = async move {
            loop {
                report(self.refresh(now()).await);
                sleep(self.store.settings.limits.refresh_every).await;
            }
        };
        match select(pin!(rounds), pin!(store.drive())).await {
            Either::Left((never, _)) | Either::Right((never, _)) => never,
        }
    }

    /// What has happened since it was made.
    pub fn stats(&self) -> Stats {
        self.store.stats()
    }
}

impl<F: Fetch + 'static> Fetch for Cache<F> {
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        Box::pin(self.get(key, now))
    }

    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError> {
        self.store.fetch.read(key, bytes, now)
    }

    fn generation(&self) -> u64 {
        self.store.generation()
    }

    fn kind(&self, key: &str) -> Kind {
        self.store.kind(key)
    }

    fn reject(&self, key: &str, contents: &Fetched, now: UnixTime) {
        self.store.reject(key, contents, now);
    }
}

impl<F> Clone for Cache<F> {
    fn clone(&self) -> Self {
        Self {
            store: Arc::clone(&self.store),
        }
    }
}

impl<F> fmt::Debug for Cache<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("settings", &self.store.settings)
            .finish_non_exhaustive()
    }
}

/// Makes a [`Cache`].
#[must_use]
pub struct CacheBuilder<F> {
    fetch: F,
    settings: Settings,
    directory: Option<PathBuf>,
}

impl<F: Fetch + 'static> CacheBuilder<F> {
    /// Other bounds.
    pub fn limits(mut self, limits: CacheLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Another rule for what has expired.
    pub fn stale_policy(mut self, policy: StalePolicy) -> Self {
        self.settings.stale = policy;
        self
    }

    /// Also keeps it there, so that a restart fetches nothing. The directory is made where it is absent; directory and
    /// files are for this user alone.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// A random number, so that machines that failed together do not try again together.
    pub fn jitter(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// # Errors
    /// The directory cannot be made.
    pub fn build(self) -> io::Result<Cache<F>> {
        let disk = self.directory.map(Disk::open).transpose()?;
        Ok(Cache {
            store: Arc::new(Store::new(self.fetch, self.settings, disk)),
        })
    }
}

impl<F> fmt::Debug for CacheBuilder<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("settings", &self.settings)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

fn check(key: &str) -> Result<(), CollateralError> {
    let known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'/');
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(known) {
        return Err(CollateralError::Key);
    }
    Ok(())
}
