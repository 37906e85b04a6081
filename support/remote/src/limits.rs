//! Limits that every service shares.

use std::time::Duration;

/// Longest time for one appraisal, its requests and the fetch of keys together: within the 10 seconds that a connection has for
/// its exchange.
pub(crate) const DEADLINE: Duration = Duration::from_secs(8);

/// How old a result may be when it arrives, by its `iat`. It was made for this appraisal, so this bounds how far the clocks of
/// the service and of this machine may be apart.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(5 * 60);
