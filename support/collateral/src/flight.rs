//! Fetches under way.

use std::sync::Arc;
use std::sync::Weak;

use atls_core::BoxFuture;
use atls_core::http::HttpError;
use atls_core::pki_types::UnixTime;
use futures_util::FutureExt;
use futures_util::future::Shared;

use crate::CollateralError;
use crate::Fetch;
use crate::Fetched;
use crate::Kind;
use crate::store::Store;

/// How a fetch ended.
pub(crate) type Outcome = Result<Fetched, CollateralError>;

/// To wait for a fetch, as one of many.
pub(crate) type Waiting = Shared<BoxFuture<'static, Outcome>>;

/// A fetch under way. It stays when all who wait for it give up, and goes on when the next one waits for it.
pub(crate) struct Flight {
    /// So that the end of one is not taken for that of its successor.
    pub(crate) number: u64,
    pub(crate) future: Waiting,
    started_at: UnixTime,
}

impl Flight {
    /// To be kept under that number; nothing happens before somebody waits.
    pub(crate) fn start<F: Fetch + 'static>(fetch: Arc<F>, landing: Landing<F>) -> Self {
        let (number, started_at) = (landing.number, landing.started_at);
        let flight = async move {
            let outcome = fetch.fetch(&landing.key, started_at).await;
            landing.land(outcome)
        };
        Self {
            number,
            future: flight.boxed().shared(),
            started_at,
        }
    }

    /// Nobody waits for it at the moment.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.future.strong_count() == Some(1)
    }

    /// It was left for so long that nothing is to be expected of it.
    pub(crate) fn is_lost(&self, now: UnixTime) -> bool {
        now.as_secs().abs_diff(self.started_at.as_secs()) > LOST
    }
}

/// Ends a flight: with what was fetched, or when it is dropped before that.
pub(crate) struct Landing<F> {
    /// The store has the flight, which must not keep the store.
    pub(crate) store: Weak<Store<F>>,
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    pub(crate) started_at: UnixTime,
    pub(crate) has_landed: bool,
}

impl<F: Fetch + 'static> Landing<F> {
    fn land(mut self, outcome: Outcome) -> Outcome {
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
        let mut state = store.state();
        let flights = &mut state.shelves.of(self.kind).flights;
        let own = |flight: &Flight| flight.number == self.number;
        if flights.get(&self.key).is_some_and(own) {
            flights.remove(&self.key);
        }
        if !self.has_landed {
            let error = CollateralError::from(HttpError::TimedOut);
            store.fail(&mut state, (&self.key, self.kind), error, self.started_at);
        }
    }
}

/// Seconds. Requests have deadlines of some seconds each.
const LOST: u64 = 60;
