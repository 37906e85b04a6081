//! Requests that crossed with the end of their connection.

use std::error::Error;

use h2::Reason;

/// Tells whether the request of this error, of hyper, hyper-util or tonic, was certainly not acted upon, so that it can be made again whatever
/// it does: its connection drained or closed before it left, or the server said that it left it alone (RFC 9113 §6.8, §8.7).
///
/// hyper-util makes most such requests again by itself, tonic makes none: a call that crosses with the goodbye of its server fails, with
/// `CANCELLED` as a rule. `false` says nothing: the server may have acted, and only who knows the request can say whether to repeat it.
///
/// ```
/// # async fn example<T, E: std::error::Error + 'static>(mut call: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
/// let mut result = call().await;
/// for _ in 0..2 {
///     match &result {
///         Err(error) if atls_tower::was_not_sent(error) => result = call().await,
///         _ => break,
///     }
/// }
/// result
/// # }
/// ```
pub fn was_not_sent(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let by_hyper = error.downcast_ref().is_some_and(hyper::Error::is_canceled);
        if by_hyper || error.downcast_ref().is_some_and(is_left_alone) {
            return true;
        }
        next = error.source();
    }
    false
}

fn is_left_alone(error: &h2::Error) -> bool {
    let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
    error.is_remote() && (error.is_go_away() || is_refused)
}
