//! The conditions of signed results.

use std::time::Duration;

use atls_core::ear::Check;
use atls_core::ear::ExpectedNonce;
use test_support::at;

/// The loosest that a caller can set, so that all claims are read. Seeds are of about this time, or of the ages before it.
pub fn check() -> Check<'static> {
    Check::new(at(NOW), MAX_AGE, ExpectedNonce::DangerousOfAnySession)
}

/// Seconds since the epoch.
pub const NOW: u64 = 1_795_468_300;

/// Fifty years: the input says the time of its result.
const MAX_AGE: Duration = Duration::from_secs(50 * 365 * 24 * 60 * 60);
