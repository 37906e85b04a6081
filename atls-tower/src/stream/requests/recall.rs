//! Connections that end before their time: recalled by their server, or expired by the clock.

use tokio::sync::futures::Notified;
use tokio::time::Instant;

use super::Requests;
use crate::stream::live::Recall;
use crate::stream::live::Wake;

impl Requests {
    /// Has those that wait look at its end, which came nearer.
    pub(crate) fn wake(&self) {
        self.shared.wake();
    }

    /// Waits for a change after this call, such as an end that came nearer.
    pub(crate) fn changes(&self) -> Notified<'_> {
        self.shared.changed.notified()
    }

    /// Waits until the connection is recalled, or expires by the clock.
    pub(crate) async fn recalled(&self) {
        loop {
            // Before the look: it is told what happens from here on.
            let change = self.changes();
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
        Recall::first(self.shared.live.recalled(), self.shared.early.recall())
    }
}
