//! The numbers of collateral. docs/operations.md documents names, units and labels.

use atls_core::pki_types::UnixTime;
use metrics::counter;
use metrics::gauge;

use crate::entry::Entry;
use crate::fetch::Kind;

/// A fetch has ended.
pub(crate) fn fetched(kind: Kind, outcome: &'static str) {
    let kind = match kind {
        Kind::Device => "device",
        Kind::Published => "published",
    };
    counter!("atls_collateral_fetches_total", "kind" => kind, "outcome" => outcome).increment(1);
}

/// What is kept of what makers publish: when the oldest piece was fetched, and when the first one ends.
pub(crate) fn published<'a>(entries: impl Iterator<Item = &'a Entry>) {
    let times = entries.map(|entry| (entry.fetched_at, entry.fetched.fresh_until));
    let Some((fetched_at, fresh_until)) =
        times.reduce(|one, other| (one.0.min(other.0), one.1.min(other.1)))
    else {
        return;
    };
    gauge!("atls_collateral_fetched_timestamp_seconds").set(seconds(fetched_at));
    gauge!("atls_collateral_expires_timestamp_seconds").set(seconds(fresh_until));
}

/// Times of this century have 32 bits.
fn seconds(time: UnixTime) -> f64 {
    f64::from(u32::try_from(time.as_secs()).unwrap_or(u32::MAX))
}
