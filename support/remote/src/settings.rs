//! What bounds the requests to one service.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;

use crate::resilient::Resilient;

/// Makes a [`Resilient`] client with other bounds than the documented ones.
#[must_use]
pub struct ResilientBuilder {
    pub(crate) name: &'static str,
    pub(crate) client: Arc<dyn HttpClient>,
    pub(crate) settings: Settings,
}

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) deadline: Duration,
    pub(crate) max_body: usize,
    pub(crate) in_flight: usize,
    pub(crate) queue: usize,
    pub(crate) attempts: u32,
    pub(crate) backoff: Duration,
    pub(crate) failures: u32,
    pub(crate) pause: Duration,
    pub(crate) jitter: fn() -> u64,
}

impl ResilientBuilder {
    pub(crate) fn new(name: &'static str, client: Arc<dyn HttpClient>) -> Self {
        Self {
            name,
            client,
            settings: Settings {
                deadline: Duration::from_secs(8),
                max_body: 256 * 1024,
                in_flight: 32,
                queue: 64,
                attempts: 3,
                backoff: Duration::from_millis(100),
                failures: 5,
                pause: Duration::from_secs(5),
                jitter: random,
            },
        }
    }

    /// Longest time for one request with all its attempts and its wait in the queue, whatever its caller allows; by
    /// default 8 s, which is within the 10 s of an exchange.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// Most bytes of a response's body, whatever its caller allows; by default 256 KiB.
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

    /// Longest pause before the second attempt, doubled for each further one; by default 100 ms. How much of it is waited
    /// is random, so that many clients do not return together.
    pub fn backoff(mut self, backoff: Duration) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// Failures in a row after which the service is left alone, by default 5, at least 1; and for how long, by default 5 s.
    /// Then one request goes out, and decides whether others follow.
    pub fn circuit(mut self, failures: u32, pause: Duration) -> Self {
        self.settings.failures = failures.max(1);
        self.settings.pause = pause;
        self
    }

    /// Where the randomness of pauses comes from; by default from the standard library's hash keys. It protects nothing.
    pub fn jitter(mut self, jitter: fn() -> u64) -> Self {
        self.settings.jitter = jitter;
        self
    }

    /// The client.
    #[must_use]
    pub fn build(self) -> Resilient {
        Resilient::from_builder(self)
    }
}

impl std::fmt::Debug for ResilientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResilientBuilder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// More would overflow what tokio's semaphores count, and no service takes as many.
const MAX_PERMITS: usize = 65_536;
