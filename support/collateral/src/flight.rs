//! One fetch under way, which many callers wait for.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;
use futures_util::FutureExt;
use futures_util::future::Shared;

use crate::error::CollateralError;
use crate::fetched::Fetched;

/// The end of a fetch, to be waited for by many at once.
#[derive(Clone)]
pub(crate) struct Waiting(Shared<BoxFuture<'static, Result<Fetched, CollateralError>>>);

impl Future for Waiting {
    type Output = Result<Fetched, CollateralError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_unpin(cx)
    }
}

/// A fetch under way. It stays when all callers give up, and goes on when the next one waits.
pub(crate) struct Flight {
    /// Tells a flight from its successor.
    pub(crate) number: u64,
    pub(crate) future: Waiting,
    started_at: UnixTime,
}

impl Flight {
    /// The future runs when a caller waits for it.
    pub(crate) fn new(
        number: u64,
        started_at: UnixTime,
        future: BoxFuture<'static, Result<Fetched, CollateralError>>,
    ) -> Self {
        Self {
            number,
            future: Waiting(future.shared()),
            started_at,
        }
    }

    /// Whether all callers have given up.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.future.0.strong_count() == Some(1)
    }

    /// Whether it was abandoned for so long that it cannot end well.
    pub(crate) fn is_lost(&self, now: UnixTime) -> bool {
        now.as_secs().abs_diff(self.started_at.as_secs()) > LOST
    }
}

/// Seconds. Requests have deadlines of some seconds each.
const LOST: u64 = 60;
