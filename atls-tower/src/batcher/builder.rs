//! The settings of a batcher.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use atls_core::Attester;
use atls_core::limits::DEFAULT_BATCH_DEADLINE;
use atls_core::limits::DEFAULT_SINGLES;
use atls_core::limits::DEFAULT_WAITING;
use atls_core::limits::MAX_BATCH;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Batcher;
use super::ClosesQueue;
use super::queue::Queue;
use super::worker::Worker;
use crate::told::ToldLately;

/// Makes a [`Batcher`].
#[must_use]
pub struct BatcherBuilder {
    attester: Arc<dyn Attester>,
    waiting: usize,
    singles: usize,
    largest: u32,
    device_deadline: Duration,
}

impl BatcherBuilder {
    pub(super) fn new(attester: Arc<dyn Attester>) -> Self {
        Self {
            attester,
            waiting: DEFAULT_WAITING,
            singles: DEFAULT_SINGLES,
            largest: MAX_BATCH,
            device_deadline: DEFAULT_BATCH_DEADLINE,
        }
    }

    /// The most connections that wait for the next batch, at least one; [`DEFAULT_WAITING`] unless set. Each takes some 500
    /// bytes here, more with an RSA key, beside the TLS session and the task that it has anyway. Others are refused.
    pub fn waiting(mut self, connections: usize) -> Self {
        self.waiting = connections.max(1);
        self
    }

    /// The most connections that wait for Evidence of their own, at least one; [`DEFAULT_SINGLES`] unless set. Others are refused.
    pub fn singles(mut self, connections: usize) -> Self {
        self.singles = connections.max(1);
        self
    }

    /// The most connections of one batch, from 1, which makes no batches, to [`MAX_BATCH`], which is the default.
    pub fn largest(mut self, connections: u32) -> Self {
        self.largest = connections.clamp(1, MAX_BATCH);
        self
    }

    /// The longest that the device may take for one batch; [`DEFAULT_BATCH_DEADLINE`] unless set. Give it less than half of the
    /// time that a connection has, since a connection may also wait for the batch before its own. It may be less than the deadline
    /// of a [`Blocking`](crate::Blocking) within: that one finds out on its own that the device hangs.
    pub fn device_deadline(mut self, deadline: Duration) -> Self {
        self.device_deadline = deadline;
        self
    }

    /// Starts the task that owns the device, on the current tokio runtime. It ends after [`Batcher::shutdown`], with the last
    /// clone of the batcher, or with the runtime.
    ///
    /// # Errors
    /// Outside of a tokio runtime.
    pub fn spawn(self) -> io::Result<Batcher> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let names_leaf_key = self.attester.names_leaf_key();
        let media_types = self.attester.media_types().into();
        let queue = Arc::new(Queue::new(self.waiting, self.singles));
        let (ends, task) = watch::channel(());
        let worker = Worker {
            attester: self.attester,
            queue: Arc::clone(&queue),
            largest: usize::try_from(self.largest).unwrap_or(usize::MAX),
            device_deadline: self.device_deadline,
            given_up: None,
            told: ToldLately::default(),
            ends,
        };
        runtime.spawn(worker.run());
        Ok(Batcher {
            media_types,
            names_leaf_key,
            _last: Arc::new(ClosesQueue(Arc::clone(&queue))),
            queue,
            task,
        })
    }
}

impl fmt::Debug for BatcherBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatcherBuilder")
            .field("media_types", &self.attester.media_types())
            .field("waiting", &self.waiting)
            .field("singles", &self.singles)
            .field("largest", &self.largest)
            .field("device_deadline", &self.device_deadline)
            .finish()
    }
}
