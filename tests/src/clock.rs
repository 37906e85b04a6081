use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// A clock that a test moves.
#[derive(Debug)]
pub struct Clock {
    seconds: AtomicU64,
}

impl Clock {
    /// Within the validity of the demonstration's certificates.
    pub(crate) fn new() -> Self {
        Self {
            seconds: AtomicU64::new(1_800_000_000),
        }
    }

    pub fn set_back(&self, by: Duration) {
        self.seconds.fetch_sub(by.as_secs(), Ordering::SeqCst);
    }

    pub fn advance(&self, by: Duration) {
        self.seconds.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.seconds.load(Ordering::SeqCst);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
