//! One piece of collateral and its validity.

use std::sync::Arc;
use std::time::Duration;

use atls_core::pki_types::UnixTime;

/// A piece of collateral and its validity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// The bytes of the maker. The user of the piece verifies their signature.
    pub bytes: Arc<[u8]>,
    /// The end of validity as the maker states it: `nextUpdate`, or the end of a certificate.
    pub fresh_until: UnixTime,
    /// [`fresh_until`](Self::fresh_until), or later where a [`StalePolicy`](crate::StalePolicy) of the application allows use
    /// beyond the validity. A result that rests on the piece ends then.
    pub usable_until: UnixTime,
    /// Numbers of issue, which the maker never lowers: `tcbEvaluationDataNumber`, or the `thisUpdate` of a list. A piece of
    /// several documents has one for each, always in the same order.
    pub sequence: Vec<u64>,
}

impl Fetched {
    /// A piece with this end of validity, without number of issue.
    pub fn new(bytes: impl Into<Arc<[u8]>>, fresh_until: UnixTime) -> Self {
        Self {
            bytes: bytes.into(),
            fresh_until,
            usable_until: fresh_until,
            sequence: Vec::new(),
        }
    }

    /// Adds a number of issue. A cache then refuses a lower one than it has, so nobody on the way can bring back the state
    /// before a revocation.
    ///
    /// Take the number from contents whose signature the [`Fetch`](crate::Fetch) has verified. An unsigned number lets anybody
    /// write the highest one, and no genuine piece would be accepted again.
    #[must_use]
    pub fn with_sequence(mut self, sequence: u64) -> Self {
        self.sequence.push(sequence);
        self
    }

    /// The time at which its dates are to be checked: now. Where a [`StalePolicy`](crate::StalePolicy) allows use beyond the
    /// validity, it is the last second of the validity.
    pub fn validity_time(&self, now: UnixTime) -> UnixTime {
        if now < self.fresh_until || now >= self.usable_until {
            return now;
        }
        let last = self.fresh_until.as_secs().saturating_sub(1);
        UnixTime::since_unix_epoch(Duration::from_secs(last))
    }

    /// Only the policy of the application extends the use of a piece; a fetch does not.
    pub(crate) fn unextended(self) -> Self {
        Self {
            usable_until: self.fresh_until,
            ..self
        }
    }
}
