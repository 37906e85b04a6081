//! Turns at the work of this end.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::SemaphorePermit;

use crate::deadline::Deadline;
use crate::error::Error;
use crate::metrics::Counted;
use crate::metrics::Limit;
use crate::metrics::Work;
use crate::stage::Stage;

/// How many connections this end works for at once.
///
/// A turn is for work of this end, never for a wait on its peer: a client that goes silent holds none.
#[derive(Clone, Debug)]
pub(crate) struct Turns {
    limit: Option<Arc<Limited>>,
    work: Work,
}

#[derive(Debug)]
struct Limited {
    turns: Semaphore,
    _told: Limit,
}

/// One turn, until it is dropped.
pub(super) struct Turn<'a> {
    _permit: Option<SemaphorePermit<'a>>,
    _counted: Counted,
}

impl Turns {
    /// At least one.
    pub(crate) fn of(work: Work, limit: usize) -> Self {
        let permits = limit.clamp(1, Semaphore::MAX_PERMITS);
        let limited = Limited {
            turns: Semaphore::new(permits),
            _told: Limit::of_work(work, permits),
        };
        Self {
            limit: Some(Arc::new(limited)),
            work,
        }
    }

    pub(crate) fn unlimited(work: Work) -> Self {
        Self { limit: None, work }
    }

    /// Waits for a turn.
    pub(super) async fn take(&self, deadline: Deadline) -> Result<Turn<'_>, Error> {
        let permit = match &self.limit {
            None => None,
            Some(limit) => {
                let _waiting = Counted::waits(self.work);
                // Nothing closes the semaphore.
                let turn = async { limit.turns.acquire().await.map_err(|_| Error::closed()) };
                Some(deadline.bound(Stage::Queue, turn).await?)
            }
        };
        Ok(Turn {
            _permit: permit,
            _counted: Counted::is_worked_for(self.work),
        })
    }
}
