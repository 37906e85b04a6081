//! Collateral outside of its validity.

use std::fmt;

use pki_types::UnixTime;

/// A piece of a verifier's own collateral that is outside of its validity: its name, and the date since or until which.
///
/// ```
/// # use std::time::Duration;
/// # use atls_core::Stale;
/// # use atls_core::pki_types::UnixTime;
/// let end = UnixTime::since_unix_epoch(Duration::from_secs(1_794_008_711));
/// let stale = Stale::expired("QE identity", end);
/// assert_eq!(stale.to_string(), "QE identity expired 2026-11-06T23:45:11Z");
/// assert_eq!((stale.piece(), stale.expired_at()), ("QE identity", Some(end)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    piece: &'static str,
    when: When,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Expired(UnixTime),
    NotBefore(UnixTime),
    Unknown,
}

impl Stale {
    /// A piece that is valid from a later time on. A clock is wrong.
    pub fn early(piece: &'static str, valid_from: UnixTime) -> Self {
        let when = When::NotBefore(valid_from);
        Self { piece, when }
    }

    /// A piece that expired at this time.
    pub fn expired(piece: &'static str, at: UnixTime) -> Self {
        let when = When::Expired(at);
        Self { piece, when }
    }

    /// A piece with unknown dates.
    pub fn undated(piece: &'static str) -> Self {
        let when = When::Unknown;
        Self { piece, when }
    }

    /// Its name, such as `TCB info`.
    pub fn piece(&self) -> &'static str {
        self.piece
    }

    /// The time at which it expired, if it did and the time is known.
    pub fn expired_at(&self) -> Option<UnixTime> {
        match self.when {
            When::Expired(at) => Some(at),
            When::NotBefore(_) | When::Unknown => None,
        }
    }

    /// The time from which it is valid, if that is yet to come.
    pub fn valid_from(&self) -> Option<UnixTime> {
        match self.when {
            When::NotBefore(from) => Some(from),
            When::Expired(_) | When::Unknown => None,
        }
    }
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.piece)?;
        match self.when {
            When::Expired(at) => write!(f, " expired {}", Date(at)),
            When::NotBefore(from) => write!(f, " is valid from {} on", Date(from)),
            When::Unknown => Ok(()),
        }
    }
}

/// RFC 3339, UTC.
struct Date(UnixTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, second) = (seconds / DAY, seconds % DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        // Years begin with March, so that the day of a leap year is the last; 400 of them have 146,097 days.
        let days = days.saturating_add(FROM_MARCH_OF_YEAR_0);
        let (cycle, day) = (days / 146_097, days % 146_097);
        let leap_days = |day: u64| (day / 1_460).saturating_add(day / 146_096);
        let year = day
            .saturating_sub(leap_days(day))
            .saturating_add(day / 36_524)
            / 365;
        let before = year
            .saturating_mul(365)
            .saturating_add(year / 4)
            .saturating_sub(year / 100);
        let day = day.saturating_sub(before);
        // Of five months from March on, three have 31 days and two have 30: 153.
        let month = day.saturating_mul(5).saturating_add(2) / 153;
        let day = day.saturating_sub(month.saturating_mul(153).saturating_add(2) / 5);
        let (month, next) = match month {
            0..=9 => (month.saturating_add(3), 0),
            _ => (month.saturating_sub(9), 1),
        };
        let year = cycle
            .saturating_mul(400)
            .saturating_add(year)
            .saturating_add(next);
        let day = day.saturating_add(1);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// Seconds.
const DAY: u64 = 24 * 60 * 60;

/// Days from there to 1970-01-01.
const FROM_MARCH_OF_YEAR_0: u64 = 719_468;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (1_750_328_163, "2025-06-19T10:16:03Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            let date = Date(UnixTime::since_unix_epoch(Duration::from_secs(seconds)));
            assert_eq!(date.to_string(), text);
        }
        let last = Date(UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX)));
        assert!(last.to_string().ends_with('Z'));
    }

    /// Counted day by day, by the rule of the calendar alone.
    #[test]
    fn dates_follow_each_other() {
        let mut days = 0;
        for year in 1970_u64..2410 {
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if is_leap { 29 } else { 28 };
            let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (month, length) in (1..).zip(months) {
                for day in 1..=length {
                    let date = Date(UnixTime::since_unix_epoch(Duration::from_secs(
                        days * 86_400,
                    )));
                    let expected = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
                    assert_eq!(date.to_string(), expected);
                    days += 1;
                }
            }
        }
    }

    #[test]
    fn a_piece_says_when() {
        let at = UnixTime::since_unix_epoch(Duration::ZERO);
        let early = Stale::early("CRL", at);
        assert_eq!(
            early.to_string(),
            "CRL is valid from 1970-01-01T00:00:00Z on"
        );
        assert_eq!(early.piece(), "CRL");
        assert_eq!((early.expired_at(), early.valid_from()), (None, Some(at)));
        let expired = Stale::expired("CRL", at);
        assert_eq!(
            (expired.expired_at(), expired.valid_from()),
            (Some(at), None)
        );
        assert_eq!(Stale::undated("CRL").to_string(), "CRL");
    }
}
