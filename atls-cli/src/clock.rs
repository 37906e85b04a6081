//! The one place that reads a clock.

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure::Failure;

/// The time of this machine.
///
/// # Errors
/// A local fault where the clock stands before 1970.
pub(crate) fn now() -> Result<UnixTime, Failure> {
    DefaultTimeProvider
        .current_time()
        .ok_or_else(|| Failure::fault("this machine does not know the time"))
}

/// The same, and 1970 where it is not known, for what goes on all the same.
pub(crate) fn now_or_1970() -> UnixTime {
    now().unwrap_or(UnixTime::since_unix_epoch(Duration::ZERO))
}

/// The time as RFC 3339 writes it, in UTC.
pub(crate) fn rfc3339(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{} seconds after 1970", at.as_secs()))
}

/// A time as RFC 3339 writes it, or in seconds since 1970.
pub(crate) fn parse(text: &str) -> Option<UnixTime> {
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let date = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            u64::try_from(date.unix_timestamp()).ok()?
        }
    };
    Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}

/// A length of time as people say it.
pub(crate) fn spoken(length: Duration) -> String {
    match length.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_a_unit_that_fits() {
        let spoken = [119, 120, 7200, 172_800].map(|s| spoken(Duration::from_secs(s)));
        assert_eq!(spoken, ["119 s", "2 min", "2 h", "2 days"]);
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        let at = UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000));
        assert_eq!(parse(&rfc3339(at)), Some(at));
        assert_eq!(parse("1800000000"), Some(at));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn a_time_beyond_the_calendar_is_still_written() {
        let end = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        assert!(rfc3339(end).ends_with("seconds after 1970"));
    }
}
