//! Turns at the work of this end.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::stage::Stage;

/// How many connections this end works for at once.
///
/// A turn is for work of this end, never for a wait on its peer: a client that goes silent holds none.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    limit: Option<Arc<Semaphore>>,
}

impl Turns {
    /// At least one.
    pub(crate) fn of(limit: usize) -> Self {
        let permits = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limit: Some(Arc::new(Semaphore::new(permits))),
        }
    }

    pub(crate) fn unlimited() -> Self {
        Self { limit: None }
    }

    /// Waits for a turn.
    pub(super) async fn take(
        &self,
        deadline: Deadline,
    ) -> Result<Option<SemaphorePermit<'_>>, Error> {
        let Some(limit) = &self.limit else {
            return Ok(None);
        };
        // Nothing closes the semaphore.
        let turn = async { limit.acquire().await.map_err(|_| Error::closed()) };
        deadline.bound(Stage::Queue, turn).await.map(Some)
    }
}
