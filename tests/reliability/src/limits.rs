//! The limits of a server, as documented or shorter, and how much is done to it.

use std::time::Duration;

use atls_core::limits::DEFAULT_DEADLINE;
use atls_core::limits::DEFAULT_FIRST_BYTE;
use atls_core::limits::DEFAULT_FIRST_REQUEST;
use atls_core::limits::DEFAULT_IDLE;
use atls_core::limits::DEFAULT_PENDING;
use atls_core::limits::DEFAULT_REQUEST_BODY;
use atls_core::limits::DEFAULT_SHUTDOWN;
use atls_core::limits::DEFAULT_UNREAD;
use serde::Deserialize;
use serde::Serialize;

/// The limits that a server gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) deadline: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) first_request: Duration,
    pub(crate) idle: Duration,
    pub(crate) unread: Duration,
    pub(crate) request_body: Duration,
    pub(crate) shutdown: Duration,
    pub(crate) pending: usize,
    pub(crate) connections: Option<usize>,
}

impl Limits {
    /// Those of the library.
    pub(crate) fn documented() -> Self {
        Self {
            deadline: DEFAULT_DEADLINE,
            first_byte: DEFAULT_FIRST_BYTE,
            first_request: DEFAULT_FIRST_REQUEST,
            idle: DEFAULT_IDLE,
            unread: DEFAULT_UNREAD,
            request_body: DEFAULT_REQUEST_BODY,
            shutdown: DEFAULT_SHUTDOWN,
            pending: DEFAULT_PENDING,
            connections: None,
        }
    }

    /// For a run of a minute. An honest handshake still fits in on a busy machine.
    pub(crate) fn short() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            first_byte: Duration::from_secs(2),
            first_request: Duration::from_secs(3),
            idle: Duration::from_secs(4),
            unread: Duration::from_secs(3),
            request_body: Duration::from_secs(3),
            shutdown: Duration::from_secs(4),
            ..Self::documented()
        }
    }

    /// The longest of them, with what the ends of a connection add.
    pub(crate) fn longest(&self) -> Duration {
        let waits = [
            self.deadline + self.first_byte,
            self.first_request,
            self.idle,
            self.unread,
            self.request_body,
        ];
        waits.into_iter().max().unwrap_or_default() + ENDING
    }
}

/// How much is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effort {
    pub(crate) limits: Limits,
    /// Idle connections.
    pub(crate) idle: usize,
    pub(crate) handshakes: usize,
    /// Peers that stop at each stage.
    pub(crate) at_each_stage: usize,
    /// How often a server is killed.
    pub(crate) kills: usize,
    /// Requests that a server is at when it is told to stop.
    pub(crate) in_flight: usize,
    /// Connections that hold the most that one may, of HTTP/1.1 and before HTTP.
    pub(crate) greedy: usize,
    /// The same of HTTP/2: each holds megabytes.
    pub(crate) greedy_http2: usize,
    pub(crate) soak: Duration,
}

impl Effort {
    pub(crate) fn whole() -> Self {
        Self {
            limits: Limits::documented(),
            idle: 10_000,
            handshakes: 1_000,
            at_each_stage: 20,
            kills: 5,
            in_flight: 100,
            greedy: 500,
            greedy_http2: 8,
            soak: Duration::from_secs(30 * 60),
        }
    }

    pub(crate) fn quick() -> Self {
        Self {
            limits: Limits::short(),
            idle: 200,
            handshakes: 100,
            at_each_stage: 3,
            kills: 1,
            in_flight: 10,
            greedy: 20,
            greedy_http2: 1,
            soak: Duration::from_secs(6),
        }
    }

    /// As much as goes where a process may open so many files. Both ends need one for each connection.
    pub(crate) fn within(self, files: usize) -> Self {
        let most = files.saturating_sub(OTHER_FILES);
        Self {
            idle: self.idle.min(most),
            // Twice as many and a tenth of wrong ones, at the end.
            handshakes: self.handshakes.min(most * 10 / 22),
            in_flight: self.in_flight.min(most),
            greedy: self.greedy.min(most),
            ..self
        }
    }
}

/// Files of a process beside its connections, and those of honest clients meanwhile.
const OTHER_FILES: usize = 200;

/// A goodbye in HTTP, the end of TLS, and a busy machine.
const ENDING: Duration = Duration::from_secs(30);
