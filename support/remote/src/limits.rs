//! Limits that every service shares.

use std::time::Duration;

/// Longest time for one appraisal, its requests and the fetch of keys together: within the 10 seconds that a connection has for
/// its exchange.
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

/// The largest age of a result at its arrival, by its `iat`. The service makes results on request, so this bounds the
/// difference between its clock and that of this machine.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(5 * 60);
