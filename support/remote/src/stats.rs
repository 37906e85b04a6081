//! Counts of requests, for a metric.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Counts since the client was made, and the state of its circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests of the callers, sent or not.
    pub requests: u64,
    /// Requests that were sent and got no usable response.
    pub failures: u64,
    /// Requests whose caller gave up, such as because its connection reached its deadline.
    pub abandoned: u64,
    /// Requests that were not sent: there were too many, or the circuit was open.
    pub not_sent: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// The state of the circuit.
    pub circuit: Circuit,
}

/// Whether requests go to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the three states of a circuit breaker"
)]
pub enum Circuit {
    /// All requests go out.
    Closed,
    /// One request is out, and its outcome decides.
    HalfOpen,
    /// No request goes out.
    Open,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: Counter,
    pub(crate) failures: Counter,
    pub(crate) abandoned: Counter,
    pub(crate) not_sent: Counter,
    pub(crate) retries: Counter,
}

impl Counters {
    pub(crate) fn stats(&self, circuit: Circuit) -> Stats {
        Stats {
            requests: self.requests.get(),
            failures: self.failures.get(),
            abandoned: self.abandoned.get(),
            not_sent: self.not_sent.get(),
            retries: self.retries.get(),
            circuit,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
