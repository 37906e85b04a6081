//! The live connections of a server, so that it can recall them.

use std::collections::BTreeMap;
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

impl Recall {
    /// Drains with the first of two, and ends with the first.
    pub(crate) fn first(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let both = || [one, other].into_iter().flatten();
        Some(Self {
            at: both().map(|recall| recall.at).min()?,
            by: both().filter_map(|recall| recall.by).min(),
        })
    }
}

/// A connection that looks at [`Live::recalled`] when it is woken.
pub(crate) trait Wake: Send + Sync {
    fn wake(&self);
}

#[derive(Default)]
struct Connections {
    known: BTreeMap<u64, Weak<dyn Wake>>,
    next: u64,
}

/// The place of a connection, to [leave](Live::leave) by.
#[derive(Debug)]
pub(crate) struct Place(u64);

impl Live {
    /// A connection that was accepted before its terms were recalled may come here afterwards: it sees the recall at once.
    pub(crate) fn add(&self, connection: Weak<dyn Wake>) -> Place {
        let mut connections = self.lock();
        let place = connections.next;
        connections.next = place.wrapping_add(1);
        connections.known.insert(place, connection);
        Place(place)
    }

    /// The connection is gone. Its memory is freed when nothing here knows it any more.
    pub(crate) fn leave(&self, place: &Place) {
        self.lock().known.remove(&place.0);
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
        self.lock().known.values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connections> {
        // The list is whole at any time.
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("recalled", &self.recalled)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stream::ConnectionLimits;
    use crate::stream::requests::Requests;

    #[test]
    fn a_connection_that_is_gone_is_known_no_more() {
        let live = Arc::new(Live::default());
        let requests = || {
            Requests::new(
                ConnectionLimits::default(),
                Box::new(()),
                live.clone(),
                Arc::default(),
            )
        };
        let (first, second) = (requests(), requests());
        drop(first);
        assert_eq!(live.lock().known.len(), 1);
        drop(second);
        assert_eq!(live.lock().known.len(), 0);
    }

    #[test]
    fn of_two_recalls_the_first_beginning_and_the_first_end_count() {
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let recall = |at, by: Option<u64>| Recall {
            at: after(at),
            by: by.map(after),
        };
        for (one, other, at, by) in [
            (recall(1, Some(9)), recall(2, Some(8)), 1, Some(8)),
            (recall(1, Some(8)), recall(2, Some(9)), 1, Some(8)),
            (recall(1, Some(8)), recall(2, None), 1, Some(8)),
            (recall(1, None), recall(2, None), 1, None),
        ] {
            for (one, other) in [(one, other), (other, one)] {
                let first = Recall::first(Some(one), Some(other)).unwrap();
                assert_eq!((first.at, first.by), (after(at), by.map(after)));
            }
        }
        let only = recall(1, Some(9));
        for [one, other] in [[Some(only), None], [None, Some(only)]] {
            let first = Recall::first(one, other).unwrap();
            assert_eq!((first.at, first.by), (only.at, only.by));
        }
        assert!(Recall::first(None, None).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_recall_counts_from_its_own_moment_and_drains_from_the_first() {
        let live = Live::default();
        let began = Instant::now();
        live.recall(Duration::MAX);
        assert_eq!(live.recalled().unwrap().by, None);
        let minute = Duration::from_secs(60);
        tokio::time::advance(minute).await;
        for (within, minutes) in [(minute * 3, 4), (minute * 4, 4), (minute, 2)] {
            live.recall(within);
            let recalled = live.recalled().unwrap();
            assert_eq!(recalled.at, began);
            assert_eq!(recalled.by, Some(began + minute * minutes));
        }
    }
}
