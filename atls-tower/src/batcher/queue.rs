//! The connections that wait for the device.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::batch::Batches;
use tokio::sync::Notify;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::counters::BatcherStats;
use crate::metrics;
use crate::metrics::Counted;
use crate::metrics::Limit;

/// Two lines, and the device's turn.
pub(super) struct Queue {
    state: Mutex<State>,
    /// The task that owns the device waits for it; there is one.
    changed: Notify,
}

struct State {
    batches: Line,
    singles: Line,
    /// Whose turn it was last.
    last: Batches,
    /// The number of the next connection.
    next: u64,
    closed: bool,
    stats: BatcherStats,
}

/// The connections of one kind, by number: the first that came is the first.
struct Line {
    waiting: BTreeMap<u64, Waiting>,
    limit: usize,
    _told: Limit,
}

/// One connection.
pub(super) struct Waiting {
    pub(super) request: OwnedAttestRequest,
    pub(super) place: Place,
}

/// A connection's place in its line, and the way back to it.
pub(super) struct Place {
    number: u64,
    pub(super) reply: oneshot::Sender<Result<Cmw, AttestError>>,
    since: Instant,
}

impl Queue {
    pub(super) fn new(waiting: usize, singles: usize) -> Self {
        let line = |kind, limit| Line {
            waiting: BTreeMap::new(),
            limit,
            _told: Limit::of_line(kind, limit),
        };
        Self {
            state: Mutex::new(State {
                batches: line(Batches::Yes, waiting),
                singles: line(Batches::No, singles),
                last: Batches::No,
                next: 0,
                closed: false,
                stats: BatcherStats::default(),
            }),
            changed: Notify::new(),
        }
    }

    /// Puts a connection into its line.
    pub(super) fn enter(&self, request: AttestRequest<'_>) -> Result<Ticket<'_>, AttestError> {
        let mut state = self.state();
        if state.closed {
            return Err(AttestError::Stopped);
        }
        let kind = request.batches();
        let line = state.line(kind);
        if line.waiting.len() >= line.limit {
            state.stats.refused = state.stats.refused.saturating_add(1);
            metrics::line_is_full(kind);
            return Err(AttestError::Busy);
        }
        let number = state.next;
        state.next = number.wrapping_add(1);
        let (reply, answer) = oneshot::channel();
        let waiting = Waiting {
            request: request.to_owned(),
            place: Place {
                number,
                reply,
                since: Instant::now(),
            },
        };
        state.line(kind).waiting.insert(number, waiting);
        drop(state);
        self.changed.notify_one();
        Ok(Ticket {
            queue: self,
            kind,
            number,
            answer,
            _counted: Counted::waits_for_device(kind),
        })
    }

    /// Lets no further connection in.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_one();
    }

    /// Lets no further connection in, and sends those that wait away.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        state.closed = true;
        let gone =
            [Batches::Yes, Batches::No].map(|kind| std::mem::take(&mut state.line(kind).waiting));
        drop(state);
        drop(gone);
    }

    /// Waits for connections, and gives those that the device works for next. There are none once the queue is closed and empty.
    pub(super) async fn next(&self, largest: usize, per_key: bool) -> Option<Vec<Waiting>> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                let turn = state.take(largest, per_key);
                if !turn.is_empty() {
                    drop(state);
                    return Some(turn.into_values().collect());
                }
                if state.closed {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Lets connections wait again, in their old places.
    pub(super) fn put_back(&self, waiting: impl Iterator<Item = Waiting>) {
        let mut state = self.state();
        for waiting in waiting {
            // One that went away meanwhile found no place to free.
            if !waiting.place.reply.is_closed() {
                let kind = waiting.request.as_request().batches();
                let number = waiting.place.number;
                state.line(kind).waiting.insert(number, waiting);
            }
        }
    }

    pub(super) fn stats(&self) -> BatcherStats {
        let mut state = self.state();
        let waiting = [Batches::Yes, Batches::No].map(|kind| state.line(kind).waiting.len());
        BatcherStats {
            waiting: waiting.iter().sum(),
            ..state.stats
        }
    }

    /// Takes note that the device has worked.
    pub(super) fn count(&self, turn: &Turn) {
        metrics::device_worked(turn.size, turn.device_time, turn.outcome.name());
        let mut state = self.state();
        let stats = &mut state.stats;
        let connections = u64::try_from(turn.size).unwrap_or(u64::MAX);
        let turns = if turn.size > 1 {
            &mut stats.batches
        } else {
            &mut stats.singles
        };
        *turns = turns.saturating_add(1);
        match turn.outcome {
            Outcome::Made => stats.connections = stats.connections.saturating_add(connections),
            Outcome::Failed => stats.failed = stats.failed.saturating_add(connections),
            Outcome::Again => {}
        }
        stats.largest = stats.largest.max(turn.size);
        stats.device_time = stats.device_time.saturating_add(turn.device_time);
        stats.waited = stats.waited.saturating_add(turn.waited);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every state is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One piece of work of the device.
pub(super) struct Turn {
    pub(super) size: usize,
    pub(super) outcome: Outcome,
    pub(super) device_time: Duration,
    /// By all connections together.
    pub(super) waited: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Made,
    Failed,
    /// The connections wait again.
    Again,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Failed => "failed",
            Self::Made => "made",
        }
    }
}

impl State {
    fn line(&mut self, kind: Batches) -> &mut Line {
        match kind {
            Batches::Yes => &mut self.batches,
            Batches::No => &mut self.singles,
        }
    }

    /// At most one single stands between two batches, and one batch between two singles.
    fn take(&mut self, largest: usize, per_key: bool) -> BTreeMap<u64, Waiting> {
        let single_is_due = self.last == Batches::Yes || self.batches.waiting.is_empty();
        if single_is_due && let Some(single) = self.singles.waiting.pop_first() {
            self.last = Batches::No;
            return BTreeMap::from([single]);
        }
        self.last = Batches::Yes;
        self.batches.take(largest, per_key)
    }
}

impl Line {
    /// The first in line, and who may share with it.
    fn take(&mut self, largest: usize, per_key: bool) -> BTreeMap<u64, Waiting> {
        if !per_key {
            return self.take_first(largest);
        }
        let Some((_, first)) = self.waiting.first_key_value() else {
            return BTreeMap::new();
        };
        let shares = |waiting: &Waiting| {
            waiting.request.as_request().leaf_key() == first.request.as_request().leaf_key()
        };
        let sharing = self.waiting.iter().filter(|(_, waiting)| shares(waiting));
        let numbers: Vec<_> = sharing.map(|(number, _)| *number).take(largest).collect();
        let taken = numbers
            .iter()
            .filter_map(|number| self.waiting.remove_entry(number));
        taken.collect()
    }

    /// Whole, since connections that come and go wait for it.
    fn take_first(&mut self, largest: usize) -> BTreeMap<u64, Waiting> {
        let left = match self.waiting.keys().nth(largest).copied() {
            Some(next) => self.waiting.split_off(&next),
            None => BTreeMap::new(),
        };
        std::mem::replace(&mut self.waiting, left)
    }
}

impl Place {
    pub(super) fn waited(&self, until: Instant) -> Duration {
        until.saturating_duration_since(self.since)
    }
}

/// The place of one connection in its line. If it is dropped, the place is free.
pub(super) struct Ticket<'a> {
    queue: &'a Queue,
    kind: Batches,
    number: u64,
    answer: oneshot::Receiver<Result<Cmw, AttestError>>,
    _counted: Counted,
}

impl Ticket<'_> {
    /// Waits for the device.
    pub(super) async fn answer(mut self) -> Result<Cmw, AttestError> {
        (&mut self.answer)
            .await
            .unwrap_or(Err(AttestError::Stopped))
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        // First, so that nobody puts it back into the line afterwards.
        self.answer.close();
        let mut state = self.queue.state();
        // The device has taken it, unless the connection went away.
        if state.line(self.kind).waiting.remove(&self.number).is_some() {
            state.stats.abandoned = state.stats.abandoned.saturating_add(1);
        }
    }
}
