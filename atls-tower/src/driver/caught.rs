//! Code of the application that panics.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::pin::pin;
use std::task::Poll;

use crate::error::Error;

/// Does work of the application, and gives an error in the place of a panic: it costs its own connection, which has its event
/// and its count as any other that fails.
pub(super) async fn caught<T>(
    work: impl Future<Output = Result<T, Error>>,
    panicked: impl Fn() -> Error,
) -> Result<T, Error> {
    let mut work = pin!(work);
    // The work is not polled again after a panic, and leaves nothing behind that another connection would see.
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    })
    .await
}
