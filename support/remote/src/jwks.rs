//! Keys of an issuer, fetched from a configured address.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use atls_core::BoxFuture;
use atls_core::ear::Algorithm;
use atls_core::ear::EarError;
use atls_core::ear::KeySource;
use atls_core::ear::VerificationKeys;
use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_core::pki_types::UnixTime;
use http::Method;
use http::Request;
use http::StatusCode;
use http::Uri;
use http::header::ACCEPT;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tracing::debug;
use tracing::warn;

use crate::exchange::exchange;
use crate::later::later;

/// A JWK set (RFC 7517 §5) at a configured address, fetched on demand and kept for a while.
///
/// * The address comes from the configuration. Claims of a token about keys (`jku`, `jwk`, `x5c`) are never read.
/// * Keys of the allowed algorithms are taken, see [`VerificationKeys::from_jwk_set_allowing`].
/// * Keys are kept for [one hour](Self::with_max_age). A fetch in the background begins at half of that, so a service that is
///   slow, or down for less time, does no harm.
/// * A token that none of them signed causes another fetch, because keys rotate. One fetch runs at a time, for all that wait,
///   and one starts in each [minute](Self::with_interval); without any keys, in each 5 seconds.
/// * Nobody asks for keys on behalf of connections that stand: [`keep_fresh`](Self::keep_fresh) fetches for them, and says when a key
///   was withdrawn.
///
/// Fetches run as tasks of the tokio runtime of the caller.
pub struct Jwks {
    source: Source,
    state: Arc<Mutex<State>>,
    flight: Arc<Semaphore>,
    /// The number of sets that lacked a key of the set before.
    withdrawals: watch::Sender<u64>,
    max_age: Duration,
    interval: Duration,
}

/// The address, and the algorithms whose keys are taken.
#[derive(Clone)]
struct Source {
    client: Arc<dyn HttpClient>,
    url: Uri,
    algorithms: Vec<Algorithm>,
}

#[derive(Default)]
struct State {
    keys: Option<Kept>,
    looked_at: Option<Moment>,
}

#[derive(Clone)]
struct Kept {
    keys: VerificationKeys,
    fetched_at: Moment,
    /// From 1, in the order in which they were fetched. Two may be of one second.
    number: u64,
}

impl Jwks {
    /// Makes a source of keys, and fetches nothing yet. The address comes from an [`Endpoint`](crate::Endpoint).
    pub fn new(client: Arc<dyn HttpClient>, url: Uri, algorithms: &[Algorithm]) -> Self {
        Self {
            source: Source {
                client,
                url,
                algorithms: algorithms.to_vec(),
            },
            state: Arc::default(),
            flight: Arc::new(Semaphore::new(1)),
            withdrawals: watch::Sender::new(0),
            max_age: Duration::from_secs(60 * 60),
            interval: Duration::from_secs(60),
        }
    }

    /// The time for which fetched keys are used, by default one hour: a key that the issuer withdrew is trusted for as long, unless
    /// [`keep_fresh`](Self::keep_fresh) runs.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// The shortest time between two fetches, by default one minute.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The background task: spawn it once; it never ends. It fetches the keys at once and then every `every`, though not more often than
    /// [the interval](Self::with_interval) allows, and calls `withdrawn` after each set that lacks a key of the set before, by whichever
    /// fetch it came. The new set is in force then.
    ///
    /// A server recalls its connections there. So a key that the issuer withdrew vouches for no connection any longer after `every`, 5 s
    /// for the fetch, and the time of the recall; later by at most the interval where an appraisal had them fetched just before. That is so as
    /// long as the issuer can be asked: one that does not answer, or with a set in which there is no key that can be used, withdraws nothing, and
    /// connections go on until their attestation ends.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use std::time::Duration;
    /// # use atls_core::pki_types::UnixTime;
    /// # use atls_remote::Jwks;
    /// # struct ServerAcceptor;
    /// # impl ServerAcceptor { fn recall(&self, _: Duration) {} }
    /// fn watch(keys: Arc<Jwks>, acceptor: ServerAcceptor) {
    ///     tokio::spawn(async move {
    ///         let recall = || acceptor.recall(Duration::from_secs(30));
    ///         keys.keep_fresh(UnixTime::now, Duration::from_secs(60), recall).await
    ///     });
    /// }
    /// ```
    pub async fn keep_fresh(
        &self,
        now: impl Fn() -> UnixTime,
        every: Duration,
        mut withdrawn: impl FnMut(),
    ) -> Infallible {
        let mut withdrawals = self.withdrawals.subscribe();
        let every = every.max(self.interval).max(LEAST_PAUSE);
        loop {
            let next = later(every);
            drop(self.newer_keys(now()).await);
            // An appraisal may have them fetched too.
            while let Ok(changed) = tokio::time::timeout_at(next, withdrawals.changed()).await {
                match changed {
                    Ok(()) => withdrawn(),
                    // Its sender lives as long as this.
                    Err(_) => std::future::pending().await,
                }
            }
        }
    }

    async fn current(&self, now: UnixTime) -> Result<VerificationKeys, EarError> {
        match self.kept(now) {
            Some((kept, Age::Young)) => Ok(kept.keys),
            Some((kept, Age::Old)) => {
                // The kept keys are good, so the caller does not wait for the issuer.
                if let Ok(permit) = self.flight.clone().try_acquire_owned() {
                    drop(self.fetch(permit, now));
                }
                Ok(kept.keys)
            }
            None => self.look(now, None).await.ok_or(EarError::NoKeys),
        }
    }

    /// Keys newer than those of this number, by a fetch of this caller or of another that waits too.
    async fn look(&self, now: UnixTime, than: Option<u64>) -> Option<VerificationKeys> {
        let permit = self.flight.clone().acquire_owned().await.ok()?;
        if let Some((kept, _)) = self.kept(now)
            && Some(kept.number) > than
        {
            return Some(kept.keys);
        }
        self.fetch(permit, now)?.await.ok().flatten()
    }

    /// Fetches in a task of its own, because the first caller may go away while others wait. `None` where it is too early for
    /// another fetch.
    fn fetch(
        &self,
        permit: OwnedSemaphorePermit,
        now: UnixTime,
    ) -> Option<JoinHandle<Option<VerificationKeys>>> {
        if !self.may_look(now) {
            return None;
        }
        let (source, state) = (self.source.clone(), self.state.clone());
        let withdrawals = self.withdrawals.clone();
        Some(tokio::spawn(async move {
            let _permit = permit;
            let keys = source.fetch().await?;
            let mut state = lock(&state);
            let before = state.keys.as_ref();
            let lacks_one = before.is_some_and(|kept| !keys.contains(&kept.keys));
            let number = before.map_or(0, |kept| kept.number).saturating_add(1);
            let fetched_at = Moment::not_before(before.map(|kept| kept.fetched_at), now);
            state.keys = Some(Kept {
                keys: keys.clone(),
                fetched_at,
                number,
            });
            // Whoever hears of it finds the new keys in force.
            if lacks_one {
                withdrawals.send_modify(|number| *number = number.wrapping_add(1));
            }
            Some(keys)
        }))
    }

    /// The kept keys, while they may be used.
    fn kept(&self, now: UnixTime) -> Option<(Kept, Age)> {
        let kept = lock(&self.state).keys.clone()?;
        let age = kept.fetched_at.age(now)?;
        let (half, whole) = (self.max_age.as_secs() / 2, self.max_age.as_secs());
        match age {
            age if age < half => Some((kept, Age::Young)),
            age if age < whole => Some((kept, Age::Old)),
            _ => None,
        }
    }

    /// Whether a fetch may start: once in each interval, or after a shorter time without any keys.
    fn may_look(&self, now: UnixTime) -> bool {
        let without = self.kept(now).is_none();
        let gap = if without {
            self.interval.min(RETRY)
        } else {
            self.interval
        };
        let mut state = lock(&self.state);
        let since = state.looked_at.and_then(|looked_at| looked_at.age(now));
        if since.is_some_and(|since| since < gap.as_secs()) {
            return false;
        }
        state.looked_at = Some(Moment::not_before(state.looked_at, now));
        true
    }
}

impl Source {
    async fn fetch(&self) -> Option<VerificationKeys> {
        let request = Request::builder()
            .method(Method::GET)
            .uri(self.url.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .body(Vec::new())
            .ok()?;
        let host = self.url.host().unwrap_or_default();
        let limits = HttpLimits::new(DEADLINE, MAX_SET);
        let response = match exchange(&*self.client, request, limits).await {
            Ok(response) => response,
            Err(error) => {
                warn!(host, %error, "keys of an issuer could not be fetched");
                return None;
            }
        };
        let status = response.status();
        if status != StatusCode::OK {
            let status = status.as_u16();
            warn!(host, status, "keys of an issuer could not be fetched");
            return None;
        }
        let text = std::str::from_utf8(response.body()).unwrap_or_default();
        match VerificationKeys::from_jwk_set_allowing(text, &self.algorithms) {
            Ok(keys) => {
                debug!(host, "keys of an issuer were fetched");
                Some(keys)
            }
            Err(error) => {
                warn!(host, %error, "keys of an issuer cannot be used");
                None
            }
        }
    }
}

impl KeySource for Jwks {
    fn keys(&self, now: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(self.current(now))
    }

    fn newer_keys(&self, now: UnixTime) -> BoxFuture<'_, Option<VerificationKeys>> {
        Box::pin(async move {
            let than = self.kept(now).map(|(kept, _)| kept.number);
            self.look(now, than).await
        })
    }

    fn generation(&self) -> u64 {
        *self.withdrawals.borrow()
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks")
            .field("url", &self.source.url)
            .field("algorithms", &self.source.algorithms)
            .field("max_age", &self.max_age)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
enum Age {
    Old,
    Young,
}

/// A moment by the clock, and by one that is never set.
#[derive(Clone, Copy)]
struct Moment {
    /// Since the epoch.
    second: u64,
    at: Instant,
}

impl Moment {
    /// The later of now and then, as long as then is plausible.
    fn not_before(then: Option<Self>, now: UnixTime) -> Self {
        let then = then.filter(|then| then.age(now).is_some());
        let second = then.map_or(0, |then| then.second).max(now.as_secs());
        let at = Instant::now();
        Self { second, at }
    }

    /// Seconds since then, by the clock that says more: one that is set back again and again, or stands still, makes nothing
    /// young. An appraisal has the time of its beginning, and others that began later may have fetched meanwhile: a time slightly
    /// in the future is new. `None` where a clock went back by more.
    fn age(self, now: UnixTime) -> Option<u64> {
        let ahead = self.second.saturating_sub(now.as_secs());
        let by_clock = now.as_secs().saturating_sub(self.second);
        (ahead <= AHEAD).then(|| by_clock.max(self.at.elapsed().as_secs()))
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    // Every state is whole at any time.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Within the time of an exchange, with room for the appraisal.
const DEADLINE: Duration = Duration::from_secs(5);

/// Seconds between the beginnings of two appraisals that are under way together; more than an exchange may take.
const AHEAD: u64 = 60;

/// Bytes. Sets with chains of certificates have some tens of kilobytes.
const MAX_SET: usize = 256 * 1024;

/// The shortest time between two looks in the background.
const LEAST_PAUSE: Duration = Duration::from_secs(1);

/// The shortest time between two fetches while there are no keys.
const RETRY: Duration = Duration::from_secs(5);
