//! One piece of collateral and its validity.

use std::sync::Arc;
use std::time::Duration;

use atls_core::pki_types::UnixTime;

/// A piece of collateral, and until when it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// As the maker sent it. Whoever uses it verifies its signature.
    pub bytes: Arc<[u8]>,
    /// Its maker's word: `nextUpdate`, or the end of a certificate.
    pub fresh_until: UnixTime,
    /// [`fresh_until`](Self::fresh_until), or later where a [`StalePolicy`] of the application lets it be used beyond its
    /// validity. A result that rests on it ends then.
    pub usable_until: UnixTime,
    /// Numbers that its maker raises with each issue, or never lowers: `tcbEvaluationDataNumber`, or the `thisUpdate` of a
    /// list. A piece of several documents has those of each, always in the same order.
    pub sequence: Vec<u64>,
}

impl Fetched {
    /// Both.
    pub fn new(bytes: impl Into<Arc<[u8]>>, fresh_until: UnixTime) -> Self {
        Self {
            bytes: bytes.into(),
            fresh_until,
            usable_until: fresh_until,
            sequence: Vec::new(),
        }
    }

    /// With one more number of its issue: a cache then refuses a lower one than it has, so that nobody on the way can
    /// bring back a state of before a revocation.
    ///
    /// Only from contents whose signature the [`Fetch`] has verified. With a number that anybody could write, anybody
    /// could write the highest one, and nothing genuine would be accepted again.
    #[must_use]
    pub fn with_sequence(mut self, sequence: u64) -> Self {
        self.sequence.push(sequence);
        self
    }

    /// The time at which its dates are to be checked: now. Only where a [`StalePolicy`] let it be used beyond its
    /// validity, the last second of that.
    pub fn validity_time(&self, now: UnixTime) -> UnixTime {
        if now < self.fresh_until || now >= self.usable_until {
            return now;
        }
        let last = self.fresh_until.as_secs().saturating_sub(1);
        UnixTime::since_unix_epoch(Duration::from_secs(last))
    }

    /// How long it may be used beyond its validity is not its maker's to say.
    pub(crate) fn unextended(self) -> Self {
        Self {
            usable_until: self.fresh_until,
            ..self
        }
    }
}
