//! Fetches: whether one starts for a key, who waits for it, and how it ends.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::Weak;
use std::task::Poll;

use atls_core::BoxFuture;
use atls_core::http::HttpError;
use atls_core::http::NotSent;
use atls_core::pki_types::UnixTime;
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::error::CollateralError;
use crate::fetch::Fetch;
use crate::fetch::Kind;
use crate::fetched::Fetched;
use crate::flight::Flight;
use crate::flight::Waiting;
use crate::store::Store;

/// The reason why a piece is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Renewal, where that is due.
    Renew,
    /// Use.
    Use,
}

/// The next step for one key.
pub(crate) enum Next {
    Have(Fetched),
    Refused(CollateralError),
    /// The piece at hand serves while a fetch renews it.
    Underway(Fetched, Waiting),
    Wait(Waiting),
}

impl<F: Fetch + 'static> Store<F> {
    /// Decides the next step under one lock: of many callers, one starts the fetch.
    pub(crate) fn next(self: &Arc<Self>, key: &str, now: UnixTime, purpose: Purpose) -> Next {
        let limits = &self.settings.limits;
        let kind = self.kind(key);
        // A flight locks the state when it is dropped, so these outlive the lock.
        let (mut lost, mut displaced) = (None, None);
        let at = self.steady.at(now);
        let mut state = self.state();
        let is_attended = state.is_attended(limits, at);
        let shelf = state.shelves.of(kind);
        let mut serves = None;
        if let Some(entry) = shelf.entries.get(key) {
            let fetched = entry.fetched.clone();
            let waits = match purpose {
                Purpose::Renew => entry.is_due(limits, kind, at),
                Purpose::Use if entry.is_fresh(at) => {
                    serves = Some(fetched.clone());
                    !is_attended && entry.is_old(limits, kind, at)
                }
                Purpose::Use => true,
            };
            if !waits {
                return Next::Have(fetched);
            }
        }
        match shelf.flights.get(key) {
            Some(flight) if flight.is_lost(now) => lost = shelf.flights.remove(key),
            Some(flight) => {
                let flight = flight.future.clone();
                return match serves {
                    Some(fetched) => Next::Underway(fetched, flight),
                    None => Next::Wait(flight),
                };
            }
            None => {}
        }
        let failure = shelf.failures.get(key);
        if let Some(error) = failure.and_then(|failure| failure.holds(at)) {
            return Next::Refused(error.clone());
        }
        let is_full = shelf.flights.len() >= limits.max_fetches;
        if is_full && !shelf.flights.values().any(Flight::is_abandoned) {
            return Next::Refused(HttpError::NotSent(NotSent::Busy).into());
        }
        if !shelf.bucket.take(limits, at) {
            return Next::Refused(HttpError::NotSent(NotSent::TooOften).into());
        }
        if is_full {
            displaced = shelf.first_abandoned();
        }
        let number = state.count_fetch();
        let flight = Flight::new(number, now, self.flight((key, kind), number, now));
        let future = flight.future.clone();
        let shelf = state.shelves.of(kind);
        shelf.flights.insert(key.to_owned(), flight);
        let driver = state.driver.take();
        drop(state);
        drop((lost, displaced));
        if let Some(driver) = driver {
            driver.wake();
        }
        Next::Wait(future)
    }

    /// Polls every flight to its end, also those of callers that are gone.
    pub(crate) async fn drive(&self) -> Infallible {
        let mut flights = FuturesUnordered::new();
        let mut last = 0;
        poll_fn(|cx| {
            let mut state = self.state();
            let fresh = state
                .shelves
                .flights()
                .filter(|flight| flight.number > last);
            flights.extend(fresh.map(|flight| flight.future.clone()));
            last = state.last_flight;
            let driver = state.driver.replace(cx.waker().clone());
            drop(state);
            drop(driver);
            while let Poll::Ready(Some(_)) = flights.poll_next_unpin(cx) {}
            Poll::Pending
        })
        .await
    }

    /// The abandoned flights.
    pub(crate) fn abandoned(&self, now: UnixTime) -> Vec<Waiting> {
        let state = self.state();
        let flights = state.shelves.flights();
        flights
            .filter(|flight| flight.is_abandoned() && !flight.is_lost(now))
            .map(|flight| flight.future.clone())
            .collect()
    }

    /// Records that a background task renews.
    pub(crate) fn attend(&self, now: UnixTime) {
        let at = self.steady.at(now);
        self.state().refreshed_at = Some(at);
    }

    fn flight(
        self: &Arc<Self>,
        (key, kind): (&str, Kind),
        number: u64,
        started_at: UnixTime,
    ) -> BoxFuture<'static, Result<Fetched, CollateralError>> {
        let fetch = Arc::clone(&self.fetch);
        let landing = Landing {
            store: Arc::downgrade(self),
            key: key.to_owned(),
            kind,
            number,
            started_at,
            has_landed: false,
        };
        Box::pin(async move {
            // A panic would stay in the flight, for all who wait for it and for the background task.
            let fetching = async { fetch.fetch(&landing.key, started_at).await };
            let fetching = AssertUnwindSafe(fetching).catch_unwind();
            let outcome = fetching.await.unwrap_or(Err(CollateralError::Malformed));
            landing.land(outcome)
        })
    }
}

/// Ends a flight: with what was fetched, or when it is dropped before that.
struct Landing<F> {
    /// The store has the flight, which must not keep the store.
    store: Weak<Store<F>>,
    key: String,
    kind: Kind,
    number: u64,
    started_at: UnixTime,
    has_landed: bool,
}

impl<F: Fetch + 'static> Landing<F> {
    fn land(
        mut self,
        outcome: Result<Fetched, CollateralError>,
    ) -> Result<Fetched, CollateralError> {
        self.has_landed = true;
        match self.store.upgrade() {
            Some(store) => store.land(&self.key, self.started_at, outcome),
            None => outcome,
        }
    }
}

impl<F> Drop for Landing<F> {
    fn drop(&mut self) {
        let Some(store) = self.store.upgrade() else {
            return;
        };
        let at = store.steady.at(self.started_at);
        let mut state = store.state();
        let flights = &mut state.shelves.of(self.kind).flights;
        let own = |flight: &Flight| flight.number == self.number;
        if flights.get(&self.key).is_some_and(own) {
            flights.remove(&self.key);
        }
        if !self.has_landed {
            let error = CollateralError::from(HttpError::TimedOut);
            let named = (&*self.key, self.kind);
            state.fail(&store.settings, named, error, at);
        }
    }
}
