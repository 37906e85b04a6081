//! What is known of the requests of a connection.

use std::task::Waker;

use tokio::time::Instant;

pub(super) struct State {
    pub(super) phase: Phase,
    /// Answers of which the client has not taken what was last offered, and since when.
    pub(super) untaken: Vec<(u64, Instant)>,
    /// When the client last took something of any answer.
    pub(super) taken_at: Option<Instant>,
    pub(super) next_request: u64,
    /// Held until the first request, such as a permit among pending connections.
    pub(super) pending: Option<Box<dyn Send>>,
    /// Whether a service sends a goodbye to an idle client, and needs time for it.
    pub(super) says_goodbye: Goodbye,
    /// Wakes the read that waits.
    pub(super) reader: Option<Waker>,
    /// When that read wakes by itself.
    pub(super) wakes_at: Option<Instant>,
    /// Wakes the write that waits: a stream may be split between two tasks.
    pub(super) writer: Option<Waker>,
}

impl State {
    /// Whether it was untaken.
    pub(super) fn remove_untaken(&mut self, id: u64) -> bool {
        let place = self.untaken.iter().position(|(known, _)| *known == id);
        place.map(|place| self.untaken.swap_remove(place)).is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goodbye {
    No,
    Yes,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    Answering { requests: usize },
    FirstRequest { since: Instant },
    Idle { since: Instant },
    Upgraded { since: Instant },
}
