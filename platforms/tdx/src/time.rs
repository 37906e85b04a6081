//! Times: in seconds, and as Intel writes them.

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use x509_cert::der::DateTime;

/// The time this many seconds after the epoch.
pub(crate) fn seconds(time: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(time))
}

/// `2025-06-19T10:16:03Z`, in seconds since the epoch, UTC.
pub(crate) fn rfc3339(text: &str) -> Option<u64> {
    let time: DateTime = text.parse().ok()?;
    Some(time.unix_duration().as_secs())
}

/// As Intel writes it; the date alone at midnight.
pub(crate) fn date(time: UnixTime) -> String {
    let seconds = time.as_secs();
    match DateTime::from_unix_duration(Duration::from_secs(seconds)) {
        Ok(date) => date.to_string().trim_end_matches("T00:00:00Z").to_owned(),
        // After the year 9999.
        Err(_) => format!("{seconds} s after 1970-01-01"),
    }
}

/// Seconds.
pub(crate) const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_intels_form_is_read() {
        assert_eq!(rfc3339("2025-06-19T10:16:03Z"), Some(1_750_328_163));
        for other in [
            "",
            "2025-06-19",
            "2025-06-19T10:16:03",
            "2025-06-19T10:16:03+01:00",
            "2025-06-19T10:16:03.5Z",
            "1969-12-31T23:59:59Z",
            "2025-02-30T10:16:03Z",
            "2025-06-19T10:16:03Zx",
        ] {
            assert_eq!(rfc3339(other), None, "{other}");
        }
    }
}
