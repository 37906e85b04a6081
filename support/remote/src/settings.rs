//! The bounds of the requests to one service.

use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::Duration;

use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;

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
    pub(crate) clock: Arc<dyn TimeProvider>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(8),
            max_body: 256 * 1024,
            in_flight: 32,
            queue: 64,
            attempts: 3,
            backoff: Duration::from_millis(100),
            failures: 5,
            pause: Duration::from_secs(5),
            jitter: random,
            clock: Arc::new(DefaultTimeProvider),
        }
    }
}

fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// More would overflow what tokio's semaphores count, and no service takes as many.
pub(crate) const MAX_PERMITS: usize = 65_536;
