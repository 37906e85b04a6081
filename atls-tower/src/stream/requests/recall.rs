//! Connections that end before their time: recalled by their server, or expired by the clock.

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::Requests;
use crate::stream::live::Recall;
use crate::stream::live::Wake;

impl Requests {
    /// Its attestation expired then by the clock: it drains, and ends after the grace. The first call counts.
    pub(crate) fn expire(&self, at: Instant, grace: Duration) {
        let by = at.checked_add(grace);
        if self.shared.expired.set(Recall { at, by }).is_ok() {
            self.shared.wake();
        }
    }

    /// Waits until the connection is recalled, or expires by the clock.
    pub(crate) async fn recalled(&self) {
        loop {
            let mut change = pin!(self.shared.changed.notified());
            change.as_mut().enable();
            if self.recall().is_some() {
                return;
            }
            change.await;
        }
    }

    /// When it was recalled.
    pub(crate) fn recalled_at(&self) -> Option<Instant> {
        self.recall().map(|recall| recall.at)
    }

    /// When it ends because it was recalled.
    pub(crate) fn ends_by(&self) -> Option<Instant> {
        self.recall()?.by
    }

    fn recall(&self) -> Option<Recall> {
        let expired = self.shared.expired.get().copied();
        Recall::first(self.shared.live.recalled(), expired)
    }
}
