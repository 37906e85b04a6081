//! The memory of statements that came.

use std::collections::HashSet;
use std::collections::VecDeque;

use super::receive_error::ReceiveError;

/// Statements by their nonces, oldest first, each until no clock accepts it any more.
#[derive(Debug, Default)]
pub(super) struct Once {
    known: HashSet<Box<[u8]>>,
    order: VecDeque<(u64, Box<[u8]>)>,
}

impl Once {
    /// Remembers a statement until this time, in seconds since the epoch.
    ///
    /// # Errors
    /// [`ReceiveError::Used`] where it is known, [`ReceiveError::Full`] where there is no room.
    pub(super) fn remember(
        &mut self,
        nonce: &[u8],
        now: u64,
        until: u64,
        capacity: usize,
    ) -> Result<(), ReceiveError> {
        while let Some((end, ended)) = self.order.front()
            && *end <= now
        {
            self.known.remove(ended);
            self.order.pop_front();
        }
        if self.known.contains(nonce) {
            return Err(ReceiveError::Used);
        }
        if self.order.len() >= capacity {
            return Err(ReceiveError::Full);
        }
        self.known.insert(nonce.into());
        self.order.push_back((until, nonce.into()));
        Ok(())
    }
}
