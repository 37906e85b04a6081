//! The memory of statements that came.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::forgotten::Forgotten;
use super::receive_error::ReceiveError;

/// Statements by their nonces, oldest first.
///
/// Each is forgotten when it has been known for as long as it is good, by the clock that is never set. Its time is kept: no other
/// statement of that time is accepted, or a clock that is set back to it would have the same one accepted again.
#[derive(Debug, Default)]
pub(super) struct Once {
    known: HashSet<Box<[u8]>>,
    order: VecDeque<Remembered>,
    forgotten: Forgotten,
}

#[derive(Debug)]
struct Remembered {
    nonce: Box<[u8]>,
    /// Seconds since the epoch.
    issued_at: u64,
    since: Instant,
}

impl Once {
    /// Remembers a statement of `issued_at`, in seconds since the epoch, that is good for no longer than `good`, the skew of clocks
    /// included.
    ///
    /// # Errors
    /// [`ReceiveError::Used`] where it is known or of a time that is forgotten, [`ReceiveError::Full`] where there is no room.
    pub(super) fn remember(
        &mut self,
        nonce: &[u8],
        issued_at: u64,
        good: Duration,
        capacity: usize,
    ) -> Result<(), ReceiveError> {
        while let Some(oldest) = self.order.front()
            && oldest.since.elapsed() >= good
        {
            self.known.remove(&oldest.nonce);
            self.forgotten.add(oldest.issued_at, good);
            self.order.pop_front();
        }
        if self.known.contains(nonce) || self.forgotten.has(issued_at) {
            return Err(ReceiveError::Used);
        }
        if self.order.len() >= capacity {
            return Err(ReceiveError::Full);
        }
        self.known.insert(nonce.into());
        self.order.push_back(Remembered {
            nonce: nonce.into(),
            issued_at,
            since: Instant::now(),
        });
        Ok(())
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
        for _ in 0..3 {
            for (nonce, issued_at) in [(b"a", NOW), (b"b", NOW + YEAR)] {
                let again = once.remember(nonce, issued_at, GOOD, 9);
                assert_eq!(again.unwrap_err(), ReceiveError::Used);
            }
            tokio::time::advance(GOOD).await;
        }
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

    #[tokio::test(start_paused = true)]
    async fn a_sender_whose_clock_is_slower_is_believed_while_others_are_forgotten() {
        let mut once = Once::default();
        for second in 0..1000 {
            let ahead = format!("ahead {second}");
            let behind = format!("behind {second}");
            once.remember(ahead.as_bytes(), NOW + second + 60, GOOD, 999)
                .unwrap();
            once.remember(behind.as_bytes(), NOW + second - 59, GOOD, 999)
                .unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }
}
