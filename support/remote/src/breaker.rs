//! The circuit breaker: leaves a service alone that failed again and again.
//!
//! ```text
//!           failures in a row               pause over
//! closed ─────────────────────▶ open ───────────────────▶ half-open: one request out
//!    ▲                           ▲                           │      │
//!    │                           └────────── it failed ──────┘      │
//!    └─────────────────────────────── it did not ───────────────────┘
//! ```
//!
//! The sender of that one request may go away before it ends, such as a peer whose connection runs into the deadline. That
//! tells nothing about the service: the next request goes out in its place, without another pause.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use crate::later::later;
use crate::stats::Circuit;

#[derive(Debug)]
pub(crate) struct Breaker {
    failures: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Closed { failures: u32 },
    HalfOpen,
    Open { until: Instant },
}

/// The right to send one request. Dropped without verdict it counts as nothing, because its end is unknown.
#[derive(Debug)]
#[must_use]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    probe: Probe,
    settled: Settled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    No,
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    No,
    Yes,
}

/// The effect of a verdict on the circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Closed,
    None,
    Opened,
}

impl Breaker {
    pub(crate) fn new(failures: u32, pause: Duration) -> Self {
        Self {
            failures,
            pause,
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// The right to send; `None` while the circuit is open, or its one request is out.
    pub(crate) fn pass(&self) -> Option<Pass<'_>> {
        let mut state = self.lock();
        let probe = match *state {
            State::Closed { .. } => Probe::No,
            State::Open { until } if Instant::now() >= until => {
                *state = State::HalfOpen;
                Probe::Yes
            }
            State::HalfOpen | State::Open { .. } => return None,
        };
        Some(Pass {
            breaker: self,
            probe,
            settled: Settled::No,
        })
    }

    pub(crate) fn circuit(&self) -> Circuit {
        match *self.lock() {
            State::Closed { .. } => Circuit::Closed,
            State::HalfOpen => Circuit::HalfOpen,
            State::Open { .. } => Circuit::Open,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Every state is whole at any time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the pause of this end, or for the longer one that the service asks for.
    fn open(&self, asked_for: Duration) -> State {
        State::Open {
            until: later(self.pause.max(asked_for.min(LONGEST_ASKED))),
        }
    }
}

impl Pass<'_> {
    pub(crate) fn succeeded(mut self) -> Change {
        self.settled = Settled::Yes;
        let mut state = self.breaker.lock();
        match (&*state, self.probe) {
            (State::HalfOpen, Probe::Yes) => {
                *state = State::Closed { failures: 0 };
                Change::Closed
            }
            // A request that was sent before the circuit opened does not close it.
            (State::Closed { .. }, _) => {
                *state = State::Closed { failures: 0 };
                Change::None
            }
            _ => Change::None,
        }
    }

    /// `asked_for` is the time after which the service wants the next request.
    pub(crate) fn failed(mut self, asked_for: Duration) -> Change {
        self.settled = Settled::Yes;
        let mut state = self.breaker.lock();
        let failures = match (&*state, self.probe) {
            (State::Closed { failures }, _) => failures.saturating_add(1),
            (State::HalfOpen, Probe::Yes) => self.breaker.failures,
            _ => return Change::None,
        };
        if failures >= self.breaker.failures {
            *state = self.breaker.open(asked_for);
            Change::Opened
        } else {
            *state = State::Closed { failures };
            Change::None
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.settled == Settled::No && self.probe == Probe::Yes {
            *self.breaker.lock() = State::Open {
                until: Instant::now(),
            };
        }
    }
}

/// A service that asks for more is tried all the same: its answer may be a mistake, and without it every appraisal fails.
const LONGEST_ASKED: Duration = Duration::from_secs(60);
