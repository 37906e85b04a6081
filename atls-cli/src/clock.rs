//! The one place that reads a clock.

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The time as RFC 3339 writes it, in UTC.
pub(crate) fn rfc3339(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{} seconds after 1970", at.as_secs()))
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
    fn a_time_beyond_the_calendar_is_still_written() {
        let end = UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX));
        assert!(rfc3339(end).ends_with("seconds after 1970"));
    }
}
