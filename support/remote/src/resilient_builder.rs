//! The builder of a [`Resilient`] client.

use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use rustls::time_provider::TimeProvider;

use crate::resilient::Resilient;
use crate::settings::MAX_PERMITS;
use crate::settings::Settings;

impl Resilient {
    /// A client with the bounds of the table. The name stands in events.
    pub fn new(name: &'static str, client: Arc<dyn HttpClient>) -> Self {
        Self::builder(name, client).build()
    }

    /// A builder that starts from the bounds of the table.
    pub fn builder(name: &'static str, client: Arc<dyn HttpClient>) -> ResilientBuilder {
        ResilientBuilder {
            name,
            client,
            settings: Settings::default(),
        }
    }
}

/// Makes a [`Resilient`] client with other bounds than the documented ones.
#[must_use]
pub struct ResilientBuilder {
    name: &'static str,
    client: Arc<dyn HttpClient>,
    settings: Settings,
}

impl ResilientBuilder {
    /// Longest time for one request with all its attempts and its wait in the queue, unless its caller allows less; by default
    /// 8 s, within the 10 s of an exchange.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// Most bytes of a response body, unless the caller allows less; by default 256 KiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// Most requests under way at once; by default 32, and at least 1.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests.clamp(1, MAX_PERMITS);
        self
    }

    /// Most requests that wait for their turn; by default 64. One more is refused at once.
    pub fn queue(mut self, requests: usize) -> Self {
        self.settings.queue = requests;
        self
    }

    /// Most attempts of one request that may be repeated; by default 3, and at least 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// Longest pause before the second attempt, doubled for each further one; by default 100 ms. The actual pause is random, so
    /// that many clients do not return together.
    pub fn backoff(mut self, backoff: Duration) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// The number of failures in a row after which the service is left alone, by default 5 and at least 1, and the time for
    /// that, by default 5 s. Then one request goes out, and its outcome decides whether others follow.
    pub fn circuit(mut self, failures: u32, pause: Duration) -> Self {
        self.settings.failures = failures.max(1);
        self.settings.pause = pause;
        self
    }

    /// The source of randomness for pauses; by default the hash keys of the standard library. No security rests on it.
    pub fn jitter(mut self, jitter: fn() -> u64) -> Self {
        self.settings.jitter = jitter;
        self
    }

    /// The clock that a `Retry-After` by date is compared with where its answer has no `Date`; by default the system's.
    pub fn clock(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.settings.clock = clock;
        self
    }

    /// Makes the client.
    #[must_use]
    pub fn build(self) -> Resilient {
        Resilient::from_settings(self.name, self.client, self.settings)
    }
}

impl std::fmt::Debug for ResilientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResilientBuilder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
