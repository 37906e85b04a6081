//! Deadlines as points in time.

use std::time::Duration;

use tokio::time::Instant;

/// The point in time after this duration, of which a day counts at most.
pub(crate) fn later(by: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(by.min(DAY)).unwrap_or(now)
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
