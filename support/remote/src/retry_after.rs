//! When a service wants the next request (RFC 9110 §10.2.3).

use std::time::Duration;
use std::time::SystemTime;

use http::HeaderName;
use http::Response;
use http::header::DATE;
use http::header::RETRY_AFTER;
use rustls::time_provider::TimeProvider;

/// The time after which the service wants the next request: zero where it does not say so, or where that has passed. It says so in seconds,
/// or by a date in any of the three forms of RFC 9110 §5.6.7.
///
/// A date counts from the `Date` of the same answer: both are of the service's clock, so the two ends need not share one. Where there is no
/// `Date`, it counts from this end's clock.
pub(crate) fn retry_after(response: &Response<Vec<u8>>, clock: &dyn TimeProvider) -> Duration {
    let Some(stated) = text(response, RETRY_AFTER) else {
        return Duration::ZERO;
    };
    if !stated.is_empty() && stated.bytes().all(|byte| byte.is_ascii_digit()) {
        return Duration::from_secs(stated.parse().unwrap_or(u64::MAX));
    }
    let (Some(then), Some(now)) = (seconds(stated), now(response, clock)) else {
        return Duration::ZERO;
    };
    Duration::from_secs(then.saturating_sub(now))
}

fn now(response: &Response<Vec<u8>>, clock: &dyn TimeProvider) -> Option<u64> {
    let stated = text(response, DATE).and_then(seconds);
    stated.or_else(|| Some(clock.current_time()?.as_secs()))
}

/// Since the epoch.
fn seconds(date: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(date).ok()?;
    let since = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

fn text(response: &Response<Vec<u8>>, name: HeaderName) -> Option<&str> {
    response.headers().get(name)?.to_str().ok()
}
