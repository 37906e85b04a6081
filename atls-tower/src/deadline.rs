//! The time that one connection has before HTTP.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Error;
use crate::metrics;
use crate::stage::Stage;

/// The moment by which handshake, exchange and appraisal of one connection must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// The deadline of work that begins now. A wait too long to be represented is one of a day.
    pub(crate) fn after(wait: Duration) -> Self {
        Self(Instant::now()).later_by(wait)
    }

    /// The same deadline, moved by a wait that is not charged to the connection.
    pub(crate) fn later_by(self, wait: Duration) -> Self {
        Self(self.0.checked_add(wait.min(DAY)).unwrap_or(self.0))
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }

    /// Does the work, and fails with [`Stage`] when the deadline comes first. Give it large work pinned: a future of some KiB would be
    /// moved several times.
    pub(crate) async fn bound<T>(
        self,
        stage: Stage,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        let done = tokio::time::timeout_at(self.0, work).await;
        metrics::stage(stage, began.elapsed());
        done.unwrap_or_else(|_| Err(Error::deadline(stage)))
    }
}

impl From<Instant> for Deadline {
    fn from(instant: Instant) -> Self {
        Self(instant)
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_as_long_as_it_is_asked_for_and_a_day_at_most() {
        let hour = Duration::from_secs(3_600);
        let day = Duration::from_secs(86_400);
        let longer = Duration::from_secs(86_401);
        let now = Instant::now();
        for (asked, wait) in [
            (Duration::ZERO, Duration::ZERO),
            (hour, hour),
            (day, day),
            (longer, day),
            (Duration::MAX, day),
        ] {
            let deadline = Deadline::after(asked).instant();
            assert_eq!(Some(deadline), now.checked_add(wait), "{asked:?}");
        }
    }
}
