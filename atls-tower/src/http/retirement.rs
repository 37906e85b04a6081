//! The end of a connection in a pool.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use crate::stream::Lifetime;

/// The end of one connection, and whether a task waits for it.
#[derive(Debug)]
pub(super) struct Retirement {
    pub(super) lifetime: Lifetime,
    begun: AtomicBool,
    pub(super) gone: Notify,
}

impl Retirement {
    pub(super) fn new(lifetime: Lifetime) -> Arc<Self> {
        Arc::new(Self {
            lifetime,
            begun: AtomicBool::new(false),
            gone: Notify::new(),
        })
    }

    pub(super) fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// The connection is closed.
    pub(super) fn end(&self) {
        self.gone.notify_one();
    }

    /// For the first that asks, where the connection drains at all.
    pub(super) fn begin(self: &Arc<Self>) -> Option<Arc<Self>> {
        let drains = self.lifetime.drains_at().is_some();
        (drains && !self.begun.swap(true, Ordering::Relaxed)).then(|| self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_task_waits_for_a_connection_that_drains() {
        let lifetime = Lifetime::unlimited();
        lifetime.expire();
        let retirement = Retirement::new(lifetime);
        assert!(retirement.begin().is_some());
        assert!(retirement.begin().is_none());
    }

    #[test]
    fn no_task_waits_for_a_connection_that_never_drains() {
        let retirement = Retirement::new(Lifetime::unlimited());
        assert!(retirement.begin().is_none());
    }

    #[tokio::test]
    async fn who_waits_for_a_connection_learns_that_it_is_closed_whenever_that_was() {
        let retirement = Retirement::new(Lifetime::unlimited());
        retirement.end();
        retirement.gone.notified().await;
    }
}
