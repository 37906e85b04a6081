//! The waits of a server's connection, and their limits.
//!
//! ```text
//! FirstRequest ──arrived──▶ Answering ──last answer taken──▶ Idle
//!                              ▲  └────────◀──arrived──────────┘
//!                              └──upgraded──▶ Upgraded
//! ```

mod recall;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Waker;

use atls_core::limits::DEFAULT_GRACE;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connection_limits::ConnectionLimits;
use super::early_end::EarlyEnd;
use super::live::Live;
use super::live::Place;
use super::live::Wake;
use super::timed_out::timed_out;
use state::Goodbye;
use state::Phase;
use state::State;

/// The requests of one connection, as the services above a stream report them.
///
/// Made by [`AttestedStream::with_limits`](crate::AttestedStream::with_limits), whose stream fails when its client keeps it
/// waiting. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Requests {
    shared: Arc<Shared>,
}

struct Shared {
    limits: ConnectionLimits,
    /// Whether a service was given this, to report requests.
    reporter: AtomicU8,
    state: Mutex<State>,
    /// Notified when the last answer was taken, and when the connection is recalled.
    changed: Notify,
    live: Arc<Live>,
    place: Place,
    early: Arc<EarlyEnd>,
}

impl Requests {
    pub(crate) fn new(
        limits: ConnectionLimits,
        pending: Box<dyn Send>,
        live: Arc<Live>,
        early: Arc<EarlyEnd>,
    ) -> Self {
        let state = State {
            phase: Phase::FirstRequest {
                since: Instant::now(),
            },
            untaken: Vec::new(),
            taken_at: None,
            next_request: 0,
            pending: Some(pending),
            says_goodbye: Goodbye::No,
            reader: None,
            wakes_at: None,
            writer: None,
        };
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| Shared {
            limits,
            reporter: AtomicU8::new(NOBODY),
            state: Mutex::new(state),
            changed: Notify::new(),
            place: live.add(shared.clone()),
            live,
            early,
        });
        Self { shared }
    }

    /// A request's head was read. The connection is pending no more.
    pub fn arrived(&self) -> Answering {
        let mut state = self.lock();
        let id = state.next_request;
        state.next_request = id.wrapping_add(1);
        state.phase = match state.phase {
            Phase::Answering { requests } => Phase::Answering {
                requests: requests.saturating_add(1),
            },
            Phase::FirstRequest { .. } | Phase::Idle { .. } => Phase::Answering { requests: 1 },
            Phase::Upgraded { since } => Phase::Upgraded { since },
        };
        let pending = state.pending.take();
        drop(state);
        drop(pending);
        Answering {
            requests: self.clone(),
            id,
        }
    }

    /// Waits until the client has been idle for as long as the limits allow. The stream then fails [`DEFAULT_GRACE`]
    /// later than otherwise, which is the time for a goodbye in HTTP.
    pub async fn idled(&self) {
        self.lock().says_goodbye = Goodbye::Yes;
        loop {
            // Before the look: it is told what happens from here on.
            let change = self.changes();
            let phase = self.lock().phase;
            match phase {
                Phase::Idle { since } => match since.checked_add(self.shared.limits.idle) {
                    Some(at) if Instant::now() >= at => return,
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                },
                _ => change.await,
            }
        }
    }

    /// The limits that were set.
    pub fn limits(&self) -> &ConnectionLimits {
        &self.shared.limits
    }

    /// Somebody is given this, to report requests.
    pub(crate) fn given(&self) -> &Self {
        self.shared.reporter.store(SOMEBODY, Ordering::Relaxed);
        self
    }

    pub(crate) fn check(&self, now: Instant) -> io::Result<()> {
        self.check_reporter()?;
        if self.ends_by().is_some_and(|end| now >= end) {
            return Err(timed_out("connection was recalled by its server"));
        }
        let state = self.lock();
        let Some(end) = self.end(&state) else {
            return Ok(());
        };
        if now < end {
            return Ok(());
        }
        Err(timed_out(match state.phase {
            Phase::Answering { .. } => "client does not take the answer",
            Phase::FirstRequest { .. } => "no request after attestation",
            Phase::Idle { .. } | Phase::Upgraded { .. } => "connection was idle for too long",
        }))
    }

    /// A server that reports no requests does not know its clients either: nothing is read for it.
    fn check_reporter(&self) -> io::Result<()> {
        const WHY: &str = "the services of this connection do not know it: serve the router by atls_axum::serve, or with \
                           into_attested_make_service(); other servers take AttestedStream::requests()";
        let reporter = &self.shared.reporter;
        match reporter.compare_exchange(NOBODY, TOLD, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => tracing::error!(fault = "local", "{WHY}"),
            Err(TOLD) => {}
            Err(_) => return Ok(()),
        }
        Err(io::Error::other(WHY))
    }

    /// Whether the connection waits for a request, and none is being answered.
    pub(crate) fn are_awaited(&self) -> bool {
        matches!(
            self.lock().phase,
            Phase::FirstRequest { .. } | Phase::Idle { .. }
        )
    }

    /// When the stream fails unless something happens. The task is woken if that becomes earlier.
    pub(crate) fn deadline_for(&self, cx: &Context<'_>) -> Option<Instant> {
        let mut state = self.lock();
        let end = [self.end(&state), self.ends_by()]
            .into_iter()
            .flatten()
            .min();
        state.wakes_at = end;
        state.reader = Some(cx.waker().clone());
        end
    }

    /// When a write that waits fails because the connection was recalled. Its task is woken when it is.
    pub(crate) fn end_of_write(&self, cx: &Context<'_>) -> Option<Instant> {
        let mut state = self.lock();
        state.writer = Some(cx.waker().clone());
        self.ends_by()
    }

    pub(crate) fn bytes_moved(&self) {
        if let Phase::Upgraded { since } = &mut self.lock().phase {
            *since = Instant::now();
        }
    }

    fn end(&self, state: &State) -> Option<Instant> {
        let limits = &self.shared.limits;
        let (since, limit) = match state.phase {
            // A client that takes one answer may leave another lie for a while: HTTP/2 bounds how many there are.
            Phase::Answering { .. } => {
                let (_, untaken) = *state.untaken.iter().min_by_key(|(_, since)| *since)?;
                let taken = state.taken_at.unwrap_or(untaken).max(untaken);
                let longest = untaken.checked_add(limits.unread.saturating_mul(LEFT_LYING))?;
                return taken.checked_add(limits.unread).map(|end| end.min(longest));
            }
            Phase::FirstRequest { since } => (since, limits.first_request),
            Phase::Idle { since } => match state.says_goodbye {
                Goodbye::Yes => (since, limits.idle.saturating_add(DEFAULT_GRACE)),
                Goodbye::No => (since, limits.idle),
            },
            Phase::Upgraded { since } => (since, limits.idle),
        };
        since.checked_add(limit)
    }

    /// After a change: wakes the read that waits if the end comes earlier than it knows.
    fn settle(&self, mut state: MutexGuard<'_, State>) {
        let earlier = match (self.end(&state), state.wakes_at) {
            (Some(end), Some(wakes_at)) => end < wakes_at,
            (end, None) => end.is_some(),
            (None, Some(_)) => false,
        };
        let reader = if earlier { state.reader.take() } else { None };
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every state is whole at any time.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer may lie for so many times the limit while others are taken.
const LEFT_LYING: u32 = 10;

/// States of `Shared::reporter`.
const NOBODY: u8 = 0;

const SOMEBODY: u8 = 1;

const TOLD: u8 = 2;

/// One request that is being answered. Drop it when the whole answer was handed to HTTP.
#[derive(Debug)]
pub struct Answering {
    requests: Requests,
    id: u64,
}

impl Answering {
    /// A part of the answer was handed to HTTP.
    pub fn offered(&self) {
        let mut state = self.requests.lock();
        state.remove_untaken(self.id);
        state.untaken.push((self.id, Instant::now()));
        self.requests.settle(state);
    }

    /// HTTP asks for more of the answer: the client takes it.
    pub fn taken(&self) {
        let mut state = self.requests.lock();
        // The time counts for other answers alone.
        if state.remove_untaken(self.id) && !state.untaken.is_empty() {
            state.taken_at = Some(Instant::now());
        }
    }

    /// The connection leaves HTTP with this answer. It then ends when it carries no byte for the idle limit.
    pub fn upgraded(&self) {
        let mut state = self.requests.lock();
        state.phase = Phase::Upgraded {
            since: Instant::now(),
        };
        self.requests.settle(state);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut state = self.requests.lock();
        state.remove_untaken(self.id);
        let Phase::Answering { requests } = &mut state.phase else {
            return;
        };
        *requests = requests.saturating_sub(1);
        if *requests > 0 {
            return;
        }
        let since = Instant::now();
        state.phase = Phase::Idle { since };
        self.requests.settle(state);
        self.requests.shared.changed.notify_waiters();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.live.leave(&self.place);
    }
}

impl Wake for Shared {
    fn wake(&self) {
        let waiting = {
            let state = self.state.lock();
            let mut state = state.unwrap_or_else(PoisonError::into_inner);
            [state.reader.take(), state.writer.take()]
        };
        waiting.into_iter().flatten().for_each(Waker::wake);
        self.changed.notify_waiters();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
