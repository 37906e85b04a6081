//! Announced minimum versions, in force from some day on.

use std::fmt;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_formats::snp::Tcb;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::minimum::MinimumTcb;

/// The least versions of firmware for one product from some day on. Until that day a platform that is behind is accepted as before,
/// its findings name the parts that are behind, and no result about it outlives the day. From then on these versions hold beside
/// the minimum.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a day and the versions that a report states"
)]
pub struct NextMinimumTcb {
    /// The day, in files as text: `"2027-01-31"`. It begins at midnight, UTC.
    pub from: Day,
    /// See [`MinimumTcb::reported`].
    pub reported: Tcb,
    /// See `committed` of [`MinimumTcb`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<Tcb>,
    /// See `launch` of [`MinimumTcb`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch: Option<Tcb>,
}

impl NextMinimumTcb {
    pub(crate) fn minimum(&self) -> MinimumTcb {
        MinimumTcb {
            reported: self.reported,
            committed: self.committed,
            launch: self.launch,
        }
    }
}

/// A day of the calendar, UTC, not before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(OffsetDateTime);

impl Day {
    /// Reads a day such as `2027-01-31`; `None` for any other form.
    pub fn parse(text: &str) -> Option<Self> {
        // The parser below takes other lengths too.
        if text.len() != 10 {
            return None;
        }
        let midnight = OffsetDateTime::parse(&format!("{text}T00:00:00Z"), &Rfc3339).ok()?;
        (midnight >= OffsetDateTime::UNIX_EPOCH).then_some(Self(midnight))
    }

    /// Its beginning, seconds since the epoch.
    pub(crate) fn begins_at(self) -> u64 {
        u64::try_from(self.0.unix_timestamp()).unwrap_or_default()
    }

    pub(crate) fn is_reached(self, now: UnixTime) -> bool {
        now >= UnixTime::since_unix_epoch(Duration::from_secs(self.begins_at()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = &"a day such as \"2027-01-31\"";
        Self::parse(&text)
            .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), expected))
    }
}
