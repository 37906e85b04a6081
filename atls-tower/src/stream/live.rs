//! The live connections of a server, so that it can recall them.

use std::fmt;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

/// The connections that were accepted on the same terms. They are recalled together.
#[derive(Default)]
pub(crate) struct Live {
    recalled: OnceLock<Recalled>,
    connections: Mutex<Connections>,
}

/// Every read and write looks at it, so it has no lock.
#[derive(Debug)]
struct Recalled {
    at: Instant,
    /// Nanoseconds from `at` to the end; the maximum is none. It only falls.
    within: AtomicU64,
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

    /// Recalls all. A later call can bring their end forward, and not put it off.
    pub(crate) fn recall(&self, within: Duration) {
        let now = Instant::now();
        let recalled = self.recalled.get_or_init(|| Recalled {
            at: now,
            within: AtomicU64::new(u64::MAX),
        });
        let end = now
            .saturating_duration_since(recalled.at)
            .saturating_add(within);
        let end = u64::try_from(end.as_nanos()).unwrap_or(u64::MAX);
        recalled.within.fetch_min(end, Ordering::Relaxed);
        for connection in self.known().iter().filter_map(Weak::upgrade) {
            connection.wake();
        }
    }

    pub(crate) fn recalled(&self) -> Option<Recall> {
        let recalled = self.recalled.get()?;
        let within = match recalled.within.load(Ordering::Relaxed) {
            u64::MAX => None,
            nanoseconds => Some(Duration::from_nanos(nanoseconds)),
        };
        Some(Recall {
            at: recalled.at,
            by: within.and_then(|within| recalled.at.checked_add(within)),
        })
    }

    /// A copy: whom it wakes may come back here.
    fn known(&self) -> Vec<Weak<dyn Wake>> {
        let mut connections = self.lock();
        connections.known.retain(|known| known.strong_count() > 0);
        connections.known.clone()
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
            .field("recalled", &self.recalled)
            .finish_non_exhaustive()
    }
}
