//! A cache of collateral: each piece is kept to the end of its validity and fetched once, however many wait.

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
use crate::moment::Steady;
use crate::stats::Refreshed;
use crate::stats::Stats;
use crate::store::Store;

/// Keeps collateral in memory and on disk until its validity ends.
///
/// - Pieces age by the clock of the callers and by one that is never set, whichever goes faster.
/// - It gives fresh pieces at once. It gives expired ones only under a [`StalePolicy`] that names the danger.
/// - Callers that ask for one key at once wait for one fetch, which goes on when some of them give up.
/// - It bounds fetches in number and in rate, for each [`Kind`] apart. After a failure it leaves the key alone for a moment,
///   longer each time.
/// - [`keep_fresh`](Self::keep_fresh) renews in the background: ahead of the end, and by age, because a valid piece may have
///   been revoked meanwhile.
///
/// A clone is the same cache. Files are small; the thread that polls the future reads and writes them.
pub struct Cache<F> {
    store: Arc<Store<F>>,
}

impl<F: Fetch + 'static> Cache<F> {
    /// A cache in memory, with the default limits.
    pub fn new(fetch: F) -> Self {
        Self {
            store: Arc::new(Store::new(
                fetch,
                Settings::default(),
                Steady::default(),
                None,
            )),
        }
    }

    /// Starts from the default limits, [`StalePolicy::refuse`] and no directory.
    pub fn builder(fetch: F) -> CacheBuilder<F> {
        CacheBuilder {
            fetch,
            settings: Settings::default(),
            steady: Steady::default(),
            directory: None,
        }
    }

    /// One piece, from memory, from disk, or from its maker. Cancel-safe: an abandoned fetch goes on when the next caller asks,
    /// at [`refresh`](Self::refresh), or by itself under [`keep_fresh`](Self::keep_fresh).
    ///
    /// A valid piece is given at once while a background task renews. Without such a task, one caller waits for the renewal of
    /// a piece that was fetched [`refresh_after`](CacheLimits::refresh_after) ago, and has the old one if the renewal fails.
    ///
    /// # Errors
    /// [`CollateralError`]: there is no piece, and the peer is to be refused. For a short while after a failure the same error
    /// is given again without a fetch.
    pub async fn get(&self, key: &str, now: UnixTime) -> Result<Fetched, CollateralError> {
        check(key)?;
        self.store.load(key, now);
        let error = match self.store.next(key, now, Purpose::Use) {
            Next::Have(fetched) => return Ok(fetched),
            Next::Refused(error) => error,
            Next::Underway(fetched, flight) => {
                // The caller that started it may have given up: one poll moves it on.
                let renewed = flight.now_or_never().and_then(Result::ok);
                let renewed = renewed.filter(|renewed| now < renewed.fresh_until);
                return Ok(renewed.unwrap_or(fetched));
            }
            Next::Wait(flight) => match flight.await {
                // The fetch has the time of the caller that started it.
                Ok(fetched) if now < fetched.fresh_until => return Ok(fetched),
                Ok(_) => CollateralError::Expired,
                Err(error) => error,
            },
        };
        self.store.in_spite_of(error, key, now)
    }

    /// Renews the pieces in memory that are due, one after the other: those fetched
    /// [`refresh_after`](CacheLimits::refresh_after) ago, those that expire soon, and expired ones. Ends abandoned fetches, and
    /// tidies the directory. A piece whose renewal fails is given for as long as it is valid.
    ///
    /// Call it from a timer of the application, at least every [`refresh_every`](CacheLimits::refresh_every), or spawn
    /// [`keep_fresh`](Self::keep_fresh).
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

    /// The background task: spawn it once, on any runtime; it never ends. It [refreshes](Self::refresh) every
    /// [`refresh_every`](CacheLimits::refresh_every), by the given clock and timer, and hands each outcome to `report`. It also
    /// ends the fetches of peers that are gone.
    ///
    /// While it runs, no caller waits for a valid piece.
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

    /// Counts since the cache was made.
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
    steady: Steady,
    directory: Option<PathBuf>,
}

impl<F: Fetch + 'static> CacheBuilder<F> {
    /// Replaces the bounds.
    pub fn limits(mut self, limits: CacheLimits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Replaces the rule for expired pieces.
    pub fn stale_policy(mut self, policy: StalePolicy) -> Self {
        self.settings.stale = policy;
        self
    }

    /// Also keeps pieces in this directory, so that a restart fetches nothing. An absent directory is made; directory and files
    /// are for this user alone.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets the clock by which pieces age beside that of their callers: the time since any beginning, by one that is never set. By
    /// default it is the monotonic clock of the system. The one that says more counts.
    pub fn steady_clock(mut self, elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.steady = Steady::new(elapsed);
        self
    }

    /// Sets a random number, by which machines that failed together try again at different times.
    pub fn jitter(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// # Errors
    /// The directory cannot be made.
    pub fn build(self) -> io::Result<Cache<F>> {
        let disk = self.directory.map(Disk::open).transpose()?;
        Ok(Cache {
            store: Arc::new(Store::new(self.fetch, self.settings, self.steady, disk)),
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
