//! The memory of statements that came.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::receive_error::ReceiveError;

/// Statements by their nonces, oldest first, each until no clock accepts it any more.
#[derive(Debug, Default)]
pub(super) struct Once {
    known: HashSet<Box<[u8]>>,
    order: VecDeque<Remembered>,
}

#[derive(Debug)]
struct Remembered {
    nonce: Box<[u8]>,
    /// Seconds since the epoch.
    at: u64,
    since: Instant,
}

impl Once {
    /// Remembers a statement that came `now`, in seconds since the epoch, and is good for no longer than `good`, the skew of clocks
    /// included.
    ///
    /// # Errors
    /// [`ReceiveError::Used`] where it is known, [`ReceiveError::Full`] where there is no room.
    pub(super) fn remember(
        &mut self,
        nonce: &[u8],
        now: u64,
        good: Duration,
        capacity: usize,
    ) -> Result<(), ReceiveError> {
        while let Some(oldest) = self.order.front()
            && oldest.is_over(now, good)
        {
            self.known.remove(&oldest.nonce);
            self.order.pop_front();
        }
        if self.known.contains(nonce) {
            return Err(ReceiveError::Used);
        }
        if self.order.len() >= capacity {
            return Err(ReceiveError::Full);
        }
        self.known.insert(nonce.into());
        self.order.push_back(Remembered {
            nonce: nonce.into(),
            at: now,
            since: Instant::now(),
        });
        Ok(())
    }
}

impl Remembered {
    /// Both clocks must say so. A clock that was set forward and is set back would accept the statement again; one that was set
    /// back far refuses it as one of the future, and must not let the memory fill up.
    fn is_over(&self, now: u64, good: Duration) -> bool {
        let good_seconds = good.as_secs();
        let is_past = self.at.saturating_add(good_seconds) <= now;
        let is_future = self.at > now.saturating_add(good_seconds);
        self.since.elapsed() >= good && (is_past || is_future)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const GOOD: Duration = Duration::from_secs(121);
    const NOW: u64 = 1_800_000_000;
    const YEAR: u64 = 365 * 24 * 60 * 60;

    #[tokio::test(start_paused = true)]
    async fn a_statement_is_forgotten_when_it_is_good_no_longer() {
        let mut once = Once::default();
        once.remember(b"a", NOW, GOOD, 1).unwrap();
        let full = once.remember(b"b", NOW + 120, GOOD, 1);
        assert_eq!(full.unwrap_err(), ReceiveError::Full);
        tokio::time::advance(GOOD).await;
        once.remember(b"b", NOW + 121, GOOD, 1).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_goes_forward_and_back_has_no_statement_used_twice() {
        let mut once = Once::default();
        once.remember(b"a", NOW, GOOD, 9).unwrap();
        once.remember(b"b", NOW + YEAR, GOOD, 9).unwrap();
        let again = once.remember(b"a", NOW + 10, GOOD, 9);
        assert_eq!(again.unwrap_err(), ReceiveError::Used);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_by_little_has_no_statement_used_twice() {
        let mut once = Once::default();
        once.remember(b"a", NOW, GOOD, 9).unwrap();
        tokio::time::advance(GOOD).await;
        let again = once.remember(b"a", NOW + 20, GOOD, 9);
        assert_eq!(again.unwrap_err(), ReceiveError::Used);
    }

    #[tokio::test(start_paused = true)]
    async fn statements_of_a_clock_that_was_ahead_do_not_fill_the_memory_for_ever() {
        let mut once = Once::default();
        once.remember(b"ahead", NOW + YEAR, GOOD, 1).unwrap();
        let full = once.remember(b"a", NOW, GOOD, 1);
        assert_eq!(full.unwrap_err(), ReceiveError::Full);
        tokio::time::advance(GOOD).await;
        once.remember(b"a", NOW + 121, GOOD, 1).unwrap();
    }
}
