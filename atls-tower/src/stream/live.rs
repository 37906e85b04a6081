//! The live connections of a server, so that it can recall them.

use std::fmt;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::Weak;
use std::time::Duration;

use tokio::time::Instant;

/// The connections that were accepted on the same terms. They are recalled together, once.
#[derive(Default)]
pub(crate) struct Live {
    recall: OnceLock<Recall>,
    connections: Mutex<Connections>,
}

/// Connections drain from `at` on and end at `by`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recall {
    pub(crate) at: Instant,
    /// A time too far to be represented is none.
    pub(crate) by: Option<Instant>,
}

/// A connection that looks at [`Live::recalled`] when it is woken.
pub(crate) trait Wake: Send + Sync {
    fn wake(&self);
}

#[derive(Default)]
struct Connections {
    known: Vec<Weak<dyn Wake>>,
    /// Those that are gone are removed when there are so many.
    sweep_at: usize,
}

impl Live {
    /// A connection that was accepted before its terms were recalled may come here afterwards: it sees the recall at once.
    pub(crate) fn add(&self, connection: Weak<dyn Wake>) {
        let mut connections = self.lock();
        if connections.known.len() >= connections.sweep_at {
            connections.known.retain(|known| known.strong_count() > 0);
            connections.sweep_at = connections.known.len().saturating_mul(2).max(SWEPT);
        }
        connections.known.push(connection);
    }

    /// Recalls all. Only the first call counts.
    pub(crate) fn recall(&self, within: Duration) {
        let at = Instant::now();
        let by = at.checked_add(within);
        if self.recall.set(Recall { at, by }).is_err() {
            return;
        }
        let known = std::mem::take(&mut self.lock().known);
        for connection in known.iter().filter_map(Weak::upgrade) {
            connection.wake();
        }
    }

    pub(crate) fn recalled(&self) -> Option<Recall> {
        self.recall.get().copied()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connections> {
        // The list is whole at any time.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fewest connections before those that are gone are looked for.
const SWEPT: usize = 64;

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("recall", &self.recall)
            .finish_non_exhaustive()
    }
}
