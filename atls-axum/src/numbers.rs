//! The numbers of listeners and of requests. docs/operations.md documents names, units and labels.

use std::fmt;

use atls_tower::Problem;
use metrics::Gauge;
use metrics::counter;
use metrics::gauge;
use tokio::sync::OwnedSemaphorePermit;

/// A connection between accept and its first request.
pub(crate) struct Pending {
    gauge: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Pending {
    pub(crate) fn of(permit: OwnedSemaphorePermit) -> Self {
        let gauge = gauge!("atls_pending_connections");
        gauge.increment(1.0);
        Self {
            gauge,
            _permit: permit,
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.gauge.decrement(1.0);
    }
}

/// A limit for as long as its listener lives. Those of all listeners of the process add up, as what they limit does.
pub(crate) struct Limit {
    gauge: Gauge,
    value: f64,
}

impl Limit {
    fn new(gauge: Gauge, limit: usize) -> Self {
        let value = f64::from(u32::try_from(limit).unwrap_or(u32::MAX));
        gauge.increment(value);
        Self { gauge, value }
    }

    /// The most connections between accept and their first request.
    pub(crate) fn of_pending(limit: usize) -> Self {
        Self::new(gauge!("atls_pending_connections_limit"), limit)
    }

    /// The most connections at all.
    pub(crate) fn of_connections(limit: usize) -> Self {
        Self::new(gauge!("atls_connections_limit"), limit)
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        self.gauge.decrement(self.value);
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limit").field(&self.value).finish()
    }
}

/// A request that is answered here, as the layers of `atls-tower` count theirs.
pub(crate) fn request_refused(problem: Problem) {
    counter!("atls_requests_refused_total", "problem" => problem.code()).increment(1);
}
