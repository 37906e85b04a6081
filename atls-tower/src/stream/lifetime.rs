//! When a connection ends with its attestations.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use atls_core::limits::CLOCK_LOOK;
use atls_core::limits::DEFAULT_GRACE;
use atls_core::limits::MAX_DRAIN_LEAD;
use tokio::time::Instant;

use super::early_end::EarlyEnd;
use super::requests::Requests;

/// The time that a connection has: it drains shortly before the first of its attestations expires, and ends shortly after.
///
/// ```text
///  accepted ─────────────────────── drains_at ──── expires ──── ends_at
///            requests                 │ at most 30 s  │ 10 s      │
///                                     └ no new ones   └ no attestation, answers under way arrive
/// ```
///
/// Requests and answers notice nothing: the next request goes on another connection. A long stream, such as a WebSocket or a
/// gRPC stream in both directions, should move to another connection between [`draining`](Self::draining) and
/// [`ends_at`](Self::ends_at): open the new stream first, then close the old one.
#[derive(Clone, Debug)]
pub struct Lifetime {
    expiry: Expiry,
    early: Arc<EarlyEnd>,
    /// Those of a server's connection, which can be [recalled](crate::ServerAcceptor::recall).
    requests: Option<Requests>,
}

impl Lifetime {
    pub(super) fn new(expiry: Expiry, early: Arc<EarlyEnd>, requests: Option<Requests>) -> Self {
        Self {
            expiry,
            early,
            requests,
        }
    }

    /// A connection that attestation does not end.
    pub(crate) fn unlimited() -> Self {
        Self::new(Expiry::of([]), Arc::default(), None)
    }

    /// From when on the connection takes no further requests: a tenth of its time before an attestation expires, at most
    /// [`MAX_DRAIN_LEAD`]; or since it was recalled. `None` is never.
    pub fn drains_at(&self) -> Option<Instant> {
        let recalled = self.requests.as_ref().and_then(Requests::recalled_at);
        let early = self.early.recall().map(|recall| recall.at);
        first([self.expiry.drains_at(), early, recalled])
    }

    /// When reads and writes of the connection fail, with what is above it: HTTP, a WebSocket, a gRPC stream. `None` is never.
    pub fn ends_at(&self) -> Option<Instant> {
        let recalled = self.requests.as_ref().and_then(Requests::ends_by);
        let early = self.early.recall().and_then(|recall| recall.by);
        first([self.expiry.ends_at(), early, recalled])
    }

    /// Ends it, for a clock by which an attestation has expired: the clock was set forward, or the machine was asleep.
    pub(crate) fn expire(&self) {
        let is_first = self.early.see(Instant::now(), self.expiry.grace());
        if is_first && let Some(requests) = &self.requests {
            requests.wake();
        }
    }

    /// The same, for the attestation of the peer.
    pub(crate) fn expire_peer(&self) {
        self.early.see_peer();
        self.expire();
    }

    /// Whether the attestation of the peer was seen to expire by the clock, which may have been set back since.
    pub(crate) fn has_peer_expired(&self) -> bool {
        self.early.is_of_peer()
    }

    /// Whether [`drains_at`](Self::drains_at) has passed.
    pub fn is_draining(&self) -> bool {
        self.drains_at().is_some_and(|at| Instant::now() >= at)
    }

    /// Waits until the connection drains, be it for its time, because it was recalled, or because the clock was set forward. Dropping the future loses nothing.
    pub async fn draining(&self) {
        let drains = sleep_until(self.expiry.drains_at());
        let recalled = async {
            match &self.requests {
                Some(requests) => requests.recalled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = drains => {}
            () = self.early.seen() => {}
            () = recalled => {}
        }
    }

    /// Waits until the connection [ends](Self::ends_at). Its reads and writes fail then; who waits for something else meanwhile, such as for room
    /// for what the peer sent, learns it here alone, and should drop the connection. Dropping the future loses nothing.
    pub async fn ended(&self) {
        loop {
            // Both before the look at the end, which may come nearer after it.
            let early = self.early.changes();
            let recalled = self.requests.as_ref().map(Requests::changes);
            let end = self.ends_at();
            if end.is_some_and(|at| Instant::now() >= at) {
                return;
            }
            let recalled = async {
                match recalled {
                    Some(recalled) => recalled.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep_until(end) => {}
                () = early => {}
                () = recalled => {}
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// When the attestations of a connection end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expiry {
    expires_at: Option<Instant>,
    /// Seconds from draining to expiry. One byte: every idle connection has it.
    lead: u8,
    pub(super) grace: Grace,
}

/// The time between expiry and the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grace {
    /// [`DEFAULT_GRACE`]
    Default,
    None,
}

impl Expiry {
    /// The first end of these attestations, each valid from a moment on. A time too far to be represented is none.
    pub(super) fn of(attestations: impl IntoIterator<Item = (Instant, Duration)>) -> Self {
        let ends = attestations
            .into_iter()
            .filter_map(|(since, valid_for)| Some((since.checked_add(valid_for)?, valid_for)));
        let first = ends.min();
        Self {
            expires_at: first.map(|(expires_at, _)| expires_at),
            lead: first.map_or(0, |(_, valid_for)| lead(valid_for)),
            grace: Grace::Default,
        }
    }

    /// Nothing puts it off again.
    pub(super) fn bring_forward(&mut self, now: Instant) {
        if !self.has_passed(now) {
            self.expires_at = Some(now);
        }
    }

    pub(super) fn has_passed(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|expires_at| now >= expires_at)
    }

    pub(super) fn drains_at(&self) -> Option<Instant> {
        self.expires_at?
            .checked_sub(Duration::from_secs(self.lead.into()))
    }

    pub(super) fn ends_at(&self) -> Option<Instant> {
        self.expires_at?.checked_add(self.grace())
    }

    pub(super) fn grace(&self) -> Duration {
        match self.grace {
            Grace::Default => DEFAULT_GRACE,
            Grace::None => Duration::ZERO,
        }
    }

    /// Draining, or the end where draining has begun; or the next look at the clock, which does not wake timers.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        let next = match self.drains_at() {
            Some(drain) if now < drain => Some(drain),
            _ => self.ends_at(),
        };
        [next, self.look(now)].into_iter().flatten().min()
    }

    /// Looks are counted back from the end, so that each poll until the next one asks for the same time.
    fn look(&self, now: Instant) -> Option<Instant> {
        let left = self.expires_at?.checked_duration_since(now)?;
        let whole = left.as_nanos().checked_rem(CLOCK_LOOK.as_nanos())?;
        let until = match u64::try_from(whole).ok()? {
            0 => CLOCK_LOOK,
            nanoseconds => Duration::from_nanos(nanoseconds),
        };
        now.checked_add(until)
    }
}

fn lead(valid_for: Duration) -> u8 {
    let tenth = valid_for.as_secs().checked_div(10);
    let lead = tenth.unwrap_or(0).min(MAX_DRAIN_LEAD.as_secs());
    u8::try_from(lead).unwrap_or(u8::MAX)
}

fn first(ends: [Option<Instant>; 3]) -> Option<Instant> {
    ends.into_iter().flatten().min()
}
