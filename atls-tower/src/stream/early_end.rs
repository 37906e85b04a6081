//! The end of a connection that the clock shows before the timers do.

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
        // Before the look: it is told what happens from here on.
        let change = self.changes();
        if self.recall().is_none() {
            change.await;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use tokio::task::yield_now;

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn an_end_that_is_seen_is_told_to_who_waits_for_it_and_to_who_comes_later() {
        let early = Arc::new(EarlyEnd::default());
        let [seeing, noticing] = [(); 2].map(|()| early.clone());
        let seeing = tokio::spawn(async move { seeing.seen().await });
        let noticing = tokio::spawn(async move { noticing.changes().await });
        yield_now().await;
        assert!(!seeing.is_finished() && !noticing.is_finished());
        early.see(Instant::now(), GRACE);
        seeing.await.unwrap();
        noticing.await.unwrap();
        early.seen().await;
    }

    #[test]
    fn what_was_seen_first_counts() {
        let early = EarlyEnd::default();
        assert!(early.recall().is_none());
        let first = Instant::now();
        assert!(early.see(first, GRACE));
        assert!(!early.see(first + GRACE, Duration::ZERO));
        let recall = early.recall().unwrap();
        assert_eq!(recall.at, first);
        assert_eq!(recall.by, Some(first + GRACE));
    }

    #[test]
    fn an_end_is_of_the_peer_where_that_was_seen() {
        let early = EarlyEnd::default();
        early.see(Instant::now(), GRACE);
        assert!(!early.is_of_peer());
        early.see_peer();
        assert!(early.is_of_peer());
    }
}
