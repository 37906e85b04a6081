//! Time by two clocks.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use atls_core::pki_types::UnixTime;

/// A moment by the clock of the callers, which can be set, and by one that is never set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) clock: UnixTime,
    /// From any beginning.
    pub(crate) steady: Duration,
}

impl Moment {
    /// The time that the clock shows, or that it would show if it had gone on since `earlier`, whichever is later: a clock that stands
    /// still, or is set back by a little again and again, keeps nothing young.
    pub(crate) fn after(self, earlier: Self) -> UnixTime {
        let passed = self.steady.saturating_sub(earlier.steady).as_secs();
        let gone_on = earlier.clock.as_secs().saturating_add(passed);
        UnixTime::since_unix_epoch(Duration::from_secs(gone_on.max(self.clock.as_secs())))
    }
}

/// A clock that is never set.
#[derive(Clone)]
pub(crate) struct Steady(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Steady {
    pub(crate) fn new(elapsed: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(elapsed))
    }

    pub(crate) fn at(&self, clock: UnixTime) -> Moment {
        Moment {
            clock,
            steady: (self.0)(),
        }
    }
}

impl Default for Steady {
    fn default() -> Self {
        let began = Instant::now();
        Self::new(move || began.elapsed())
    }
}
