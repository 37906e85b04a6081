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
