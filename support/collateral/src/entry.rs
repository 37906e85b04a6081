//! One piece of collateral that is at hand.

use std::time::Duration;

use atls_core::pki_types::UnixTime;

use crate::fetch::Kind;
use crate::fetched::Fetched;
use crate::limits::CacheLimits;
use crate::limits::StalePolicy;
use crate::moment::Moment;

/// A piece with its age and source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) fetched: Fetched,
    pub(crate) fetched_at: UnixTime,
    /// When it came to memory.
    pub(crate) came: Moment,
    pub(crate) origin: Origin,
}

/// The source of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Disk,
    Maker,
}

impl Entry {
    pub(crate) fn is_fresh(&self, at: Moment) -> bool {
        at.after(self.came) < self.fetched.fresh_until
    }

    /// Whether it is old, or at its end: in the last quarter of its validity, or within the limit before its end.
    pub(crate) fn is_due(&self, limits: &CacheLimits, kind: Kind, at: Moment) -> bool {
        let end = self.fetched.fresh_until.as_secs();
        let validity = end.saturating_sub(self.fetched_at.as_secs());
        let ahead = limits.refresh_ahead.as_secs().min(validity / 4);
        let now = at.after(self.came).as_secs();
        self.is_old(limits, kind, at) || now >= end.saturating_sub(ahead)
    }

    /// Whether its maker may have published another one meanwhile, with a revocation.
    pub(crate) fn is_old(&self, limits: &CacheLimits, kind: Kind, at: Moment) -> bool {
        let now = at.after(self.came).as_secs();
        let age = now.saturating_sub(self.fetched_at.as_secs());
        let is_aged = self.is_of_the_future(at.clock) || age >= limits.refresh_after.as_secs();
        kind == Kind::Published && is_aged
    }

    /// Whether the clock was set back since it was fetched. Its age is not known then, and it would not grow old for as long.
    pub(crate) fn is_of_the_future(&self, now: UnixTime) -> bool {
        let ahead = self.fetched_at.as_secs().saturating_sub(now.as_secs());
        ahead > UNDERWAY
    }

    /// The piece for use beyond its validity, where the policy allows that.
    pub(crate) fn stale(&self, policy: StalePolicy, at: Moment) -> Option<Fetched> {
        let end = self.fetched.fresh_until.as_secs();
        let end = end.saturating_add(policy.grace().as_secs());
        let usable_until = UnixTime::since_unix_epoch(Duration::from_secs(end));
        (at.after(self.came) < usable_until).then(|| Fetched {
            usable_until,
            ..self.fetched.clone()
        })
    }

    /// Whether it was fetched by somebody who began later.
    pub(crate) fn is_later_than(&self, now: UnixTime) -> bool {
        self.fetched_at > now && !self.is_of_the_future(now)
    }

    /// Whether any of its numbers is lower than the known one. A piece that lost a number could be any issue.
    pub(crate) fn is_older_than(&self, known: &[u64]) -> bool {
        let sequence = &self.fetched.sequence;
        let mut both = sequence.iter().zip(known);
        sequence.len() < known.len() || both.any(|(number, known)| number < known)
    }
}

/// Seconds. A fetch has the time of its beginning, and is over within this.
const UNDERWAY: u64 = 60;
