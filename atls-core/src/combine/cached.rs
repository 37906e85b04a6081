//! A verifier that appraises the same Evidence once.

mod key;

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use pki_types::UnixTime;

use crate::appraised::Appraised;
use crate::box_future::BoxFuture;
use crate::combine::flight::End;
use crate::combine::flight::Flight;
use crate::error::AppraisalError;
use crate::limits::CLOCK_SKEW;
use crate::limits::DEFAULT_KEPT_AGE;
use crate::limits::DEFAULT_KEPT_BYTES;
use crate::limits::DEFAULT_KEPT_RESULTS;
use crate::media_type::MediaType;
use crate::verifier::ConceptualMessage;
use crate::verifier::Evidence;
use crate::verifier::Verifier;
use key::Key;

/// A verifier that keeps its results for a moment, so that the thousand connections of one batch of Evidence cost one
/// appraisal.
///
/// A result is used again for the same bytes, media type and Endorsements under the same expected value. The verifier's
/// [`generation`](Verifier::generation) must be the same too, and the result must neither have expired nor be older than the
/// maximum age. The bytes are compared whole; there is no digest to collide. Failures are not kept. A caller that asks while the
/// same Evidence is being appraised waits, and shares the outcome.
///
/// The relying party still compares the key that the Evidence names and checks its policies for each connection.
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use atls_core::{RelyingParty, combine::Cached};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let device = SimAttester::generate()?.trust_anchor();
/// # let slow = SimVerifier::new(device);
/// // A result is used again for at most ten seconds.
/// let verifier = Cached::new(slow).with_max_age(Duration::from_secs(10));
/// let relying_party = RelyingParty::builder().verifier(Arc::new(verifier)).build()?;
/// assert_eq!(relying_party.media_types().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct Cached<V> {
    verifier: V,
    observer: Option<Box<dyn Fn(CacheUse) + Send + Sync>>,
    max_age: Duration,
    max_results: usize,
    max_bytes: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    results: HashMap<Arc<Key>, Kept>,
    /// The keys of the results, oldest first. Results are kept for a moment only, so another order would gain nothing.
    order: VecDeque<Arc<Key>>,
    bytes: usize,
    /// The latest time of an appraisal, in seconds since the epoch.
    latest: u64,
    flights: HashMap<Arc<Key>, Arc<Flight<Shared>>>,
    stats: CachedStats,
}

/// What a [`Cached`] verifier did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CachedStats {
    /// Appraisals that the verifier made.
    pub appraisals: u64,
    /// Results that were used again.
    pub used_again: u64,
    /// Times that a caller waited for the appraisal of another.
    pub shared: u64,
}

/// How a caller of a [`Cached`] verifier came by its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no fourth way")]
pub enum CacheUse {
    /// The verifier appraises for it.
    Appraised,
    /// It waits for the appraisal of another caller.
    Shared,
    /// A result is used again.
    UsedAgain,
}

fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

struct Kept {
    appraised: Appraised,
    at: UnixTime,
}

/// The outcome of one appraisal, for all callers that asked for the same.
#[derive(Clone)]
struct Shared(Arc<Result<Appraised, AppraisalError>>);

impl Shared {
    fn of(outcome: &Result<Appraised, AppraisalError>) -> Self {
        Self(Arc::new(duplicate(outcome)))
    }
}

fn duplicate(outcome: &Result<Appraised, AppraisalError>) -> Result<Appraised, AppraisalError> {
    match outcome {
        Ok(appraised) => Ok(appraised.duplicate()),
        Err(error) => Err(error.clone()),
    }
}

impl<V: Verifier> Cached<V> {
    /// Keeps up to [`DEFAULT_KEPT_RESULTS`] results of up to [`DEFAULT_KEPT_BYTES`] bytes of Evidence for [`DEFAULT_KEPT_AGE`].
    pub fn new(verifier: V) -> Self {
        Self {
            verifier,
            observer: None,
            max_age: DEFAULT_KEPT_AGE,
            max_results: DEFAULT_KEPT_RESULTS,
            max_bytes: DEFAULT_KEPT_BYTES,
            state: Mutex::default(),
        }
    }

    /// Sets the time for which a result is used again. A connection with an older result lives shorter by its age.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets the most results that are kept, and the most bytes of Evidence and Endorsements for them.
    #[must_use]
    pub fn with_capacity(mut self, results: usize, bytes: usize) -> Self {
        self.max_results = results;
        self.max_bytes = bytes;
        self
    }

    /// Tells `observer` of each caller, for metrics: `atls_tower::cache_metrics` makes one.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(CacheUse) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    async fn ask(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        // The generation is read before the appraisal. A result of a newer policy under the older number is never used again.
        let key = Arc::new(Key::of(evidence, self.verifier.generation()));
        loop {
            let next = self.next(&key, now);
            if let Some(observer) = &self.observer {
                observer(next.name());
            }
            match next {
                Next::Have(appraised) => return Ok(*appraised),
                Next::Lead(lead) => {
                    let outcome = self.verifier.appraise(evidence, now).await;
                    lead.land(&outcome, now);
                    return outcome;
                }
                Next::Wait(flight) => match flight.wait().await {
                    End::Landed(outcome) => return duplicate(&outcome.0),
                    End::Abandoned => {}
                },
            }
        }
    }

    fn next(&self, key: &Arc<Key>, now: UnixTime) -> Next<'_, V> {
        let mut state = self.state();
        state.forget_if_set_back(now);
        if let Some(kept) = state.results.get(key)
            && self.is_usable(kept, now)
        {
            let appraised = Box::new(kept.appraised.duplicate());
            count(&mut state.stats.used_again);
            return Next::Have(appraised);
        }
        if let Some(flight) = state.flights.get(key).cloned() {
            count(&mut state.stats.shared);
            return Next::Wait(flight);
        }
        count(&mut state.stats.appraisals);
        let flight = Flight::new();
        state.flights.insert(Arc::clone(key), Arc::clone(&flight));
        Next::Lead(Lead {
            cached: self,
            key: Arc::clone(key),
            flight,
        })
    }

    fn is_usable(&self, kept: &Kept, now: UnixTime) -> bool {
        let end = kept.appraised.ear.expires_at();
        // The difference counts in both directions, so a clock that was set back makes no result younger.
        let age = now.as_secs().abs_diff(kept.at.as_secs());
        age < self.max_age.as_secs() && end.is_none_or(|end| now < end)
    }
}

impl<V> Cached<V> {
    /// The counts so far.
    pub fn stats(&self) -> CachedStats {
        self.state().stats
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Verifier> Verifier for Cached<V> {
    fn media_types(&self) -> &[MediaType] {
        self.verifier.media_types()
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        self.verifier.conceptual_message()
    }

    fn generation(&self) -> u64 {
        self.verifier.generation()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(self.ask(evidence, now))
    }
}

impl<V: fmt::Debug> fmt::Debug for Cached<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached")
            .field("verifier", &self.verifier)
            .field("kept", &self.state().results.len())
            .finish_non_exhaustive()
    }
}

enum Next<'a, V> {
    Have(Box<Appraised>),
    Lead(Lead<'a, V>),
    Wait(Arc<Flight<Shared>>),
}

impl<V> Next<'_, V> {
    fn name(&self) -> CacheUse {
        match self {
            Self::Have(_) => CacheUse::UsedAgain,
            Self::Lead(_) => CacheUse::Appraised,
            Self::Wait(_) => CacheUse::Shared,
        }
    }
}

/// The task of the one caller that appraises for all. If it is dropped before its end, another caller appraises.
struct Lead<'a, V> {
    cached: &'a Cached<V>,
    key: Arc<Key>,
    flight: Arc<Flight<Shared>>,
}

impl<V> Lead<'_, V> {
    fn land(self, outcome: &Result<Appraised, AppraisalError>, now: UnixTime) {
        if let Ok(appraised) = outcome {
            let kept = Kept {
                appraised: appraised.duplicate(),
                at: now,
            };
            let mut state = self.cached.state();
            if state.is_under_way(&self.key, &self.flight) {
                state.keep(Arc::clone(&self.key), kept);
                state.shrink(self.cached.max_results, self.cached.max_bytes);
            }
        }
        self.flight.end(End::Landed(Shared::of(outcome)));
    }
}

impl<V> Drop for Lead<'_, V> {
    fn drop(&mut self) {
        let mut state = self.cached.state();
        if state.is_under_way(&self.key, &self.flight) {
            state.flights.remove(&self.key);
        }
        drop(state);
        self.flight.end(End::Abandoned);
    }
}

impl State {
    /// Results of a clock that was set back would be used again when it comes to their time once more, and appraisals under way
    /// end in such results. Those that are under way together have times that differ by less than the skew.
    fn forget_if_set_back(&mut self, now: UnixTime) {
        let now = now.as_secs();
        if now.saturating_add(CLOCK_SKEW.as_secs()) < self.latest {
            self.results.clear();
            self.order.clear();
            self.bytes = 0;
            self.flights.clear();
            self.latest = now;
        }
        self.latest = self.latest.max(now);
    }

    /// Whether it is neither forgotten nor another's.
    fn is_under_way(&self, key: &Key, flight: &Arc<Flight<Shared>>) -> bool {
        let known = self.flights.get(key);
        known.is_some_and(|known| Arc::ptr_eq(known, flight))
    }

    fn keep(&mut self, key: Arc<Key>, kept: Kept) {
        self.drop_result(&key);
        self.bytes = self.bytes.saturating_add(key.size());
        self.order.push_back(Arc::clone(&key));
        self.results.insert(key, kept);
    }

    fn shrink(&mut self, max_results: usize, max_bytes: usize) {
        while self.results.len() > max_results || self.bytes > max_bytes {
            let Some(oldest) = self.order.front().cloned() else {
                return;
            };
            self.drop_result(&oldest);
        }
    }

    fn drop_result(&mut self, key: &Arc<Key>) {
        if self.results.remove(key).is_some() {
            self.bytes = self.bytes.saturating_sub(key.size());
            self.order.retain(|known| known != key);
        }
    }
}
