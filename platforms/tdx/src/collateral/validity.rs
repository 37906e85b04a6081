//! The time in which collateral serves.

use atls_collateral::Fetched;
use atls_core::Stale;
use atls_core::pki_types::UnixTime;

use crate::time;

/// The time in which one piece serves, seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) piece: &'static str,
    pub(super) issued: u64,
    /// `nextUpdate`.
    pub(super) expires: u64,
}

/// The time in which all pieces serve, seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    windows: [Window; 4],
    issued: u64,
    expires: u64,
    /// Later than `expires` where the cache allows a grace.
    usable_until: u64,
}

impl Validity {
    /// From the last issue to the first `nextUpdate`.
    pub(super) fn of(windows: [Window; 4]) -> Self {
        let issued = windows.iter().map(|window| window.issued);
        let expires = windows.iter().map(|window| window.expires);
        let expires = expires.fold(u64::MAX, u64::min);
        Self {
            issued: issued.fold(0, u64::max),
            expires,
            usable_until: expires,
            windows,
        }
    }

    /// Ends with the time that the cache allows: no later than Intel's end, apart from the grace of the cache.
    pub(super) fn kept_as(self, fetched: &Fetched) -> Self {
        Self {
            expires: self.expires.min(fetched.fresh_until.as_secs()),
            usable_until: fetched.usable_until.as_secs(),
            ..self
        }
    }

    pub(super) fn expires_at(&self) -> UnixTime {
        time::seconds(self.expires)
    }

    /// The end of the grace in which expired collateral may be used as at its last moment; as [`Fetched::usable_until`].
    pub(super) fn usable_until(&self) -> u64 {
        self.usable_until
    }

    pub(super) fn contains(&self, now: UnixTime) -> bool {
        (self.issued..self.expires).contains(&now.as_secs())
    }

    /// Whether a piece is yet to be issued.
    pub(super) fn is_early(&self, now: UnixTime) -> bool {
        now.as_secs() < self.issued
    }

    /// The piece at fault at a time that is not contained: the first to expire, or one that is yet to be issued.
    pub(super) fn stale(&self, now: UnixTime) -> Stale {
        let now = now.as_secs();
        let expired = self.windows.iter().filter(|window| window.expires <= now);
        if let Some(first) = expired.min_by_key(|window| window.expires) {
            return Stale::expired(first.piece, time::seconds(first.expires));
        }
        match self.windows.iter().find(|window| now < window.issued) {
            Some(early) => Stale::early(early.piece, time::seconds(early.issued)),
            // The cache keeps it for a shorter time than Intel allows.
            None => Stale::expired("collateral in the cache", self.expires_at()),
        }
    }
}
