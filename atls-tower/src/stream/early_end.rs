//! The end of a connection that the clock shows before the timers do.

use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

use super::live::Recall;

/// What was seen of one connection's expiry by the clock: it was set forward, or the machine slept. What was seen stays so, however
/// the clock is set afterwards.
#[derive(Debug, Default)]
pub(crate) struct EarlyEnd {
    seen: OnceLock<Recall>,
    of_peer: AtomicBool,
    changed: Notify,
}

impl EarlyEnd {
    /// An attestation of either end expired then: the connection drains, and ends after the grace. Whether this is the first call,
    /// which counts.
    pub(super) fn see(&self, at: Instant, grace: Duration) -> bool {
        let by = at.checked_add(grace);
        let is_first = self.seen.set(Recall { at, by }).is_ok();
        if is_first {
            self.changed.notify_waiters();
        }
        is_first
    }

    /// The attestation of the peer is the one that expired.
    pub(super) fn see_peer(&self) {
        self.of_peer.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_of_peer(&self) -> bool {
        self.of_peer.load(Ordering::Relaxed)
    }

    pub(super) fn recall(&self) -> Option<Recall> {
        self.seen.get().copied()
    }

    /// Waits until it is seen, if it was not when this was called.
    pub(super) fn changes(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Waits until it is seen.
    pub(super) async fn seen(&self) {
        let mut change = pin!(self.changed.notified());
        change.as_mut().enable();
        if self.recall().is_none() {
            change.await;
        }
    }
}
