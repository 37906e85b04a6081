//! Requests that crossed with the end of their connection.

use std::error::Error;
use std::io;

use h2::Reason;

/// Tells whether the request of this error, of hyper, hyper-util or tonic, was certainly not acted upon, so that it can be made again whatever
/// it does: its connection drained or closed before it left, or the server refused it unseen (RFC 9113 §8.7).
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
        if let Some(error) = error.downcast_ref() {
            return is_of_unsent(error);
        }
        // What is beneath is of the transport, which may be a request itself.
        if error.is::<io::Error>() {
            return false;
        }
        next = error.source();
    }
    false
}

/// The outermost error of hyper is that of the request. Beneath it may be those of others, such as of the one whose body this one hands on.
fn is_of_unsent(error: &hyper::Error) -> bool {
    let Some(source) = error.source() else {
        return false;
    };
    if error.is_canceled() {
        // An upgrade that was not completed is `canceled` too.
        return source.is::<hyper::Error>() || CANCELED.contains(&&*source.to_string());
    }
    let is_of_head = error.to_string() == OF_HEAD;
    is_of_head && source.downcast_ref().is_some_and(is_refused)
}

/// GOAWAY says it too, of streams behind its last one. But hyper gives that error to a request also that it hands over at the moment in which any
/// GOAWAY comes, and that may leave all the same.
fn is_refused(error: &h2::Error) -> bool {
    error.is_remote() && error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM)
}

/// Why hyper cancels a request that it has not begun.
const CANCELED: [&str; 2] = ["connection closed", "connection was not ready"];

/// What hyper says of errors before the answer, other than of those while its body comes. Nothing else tells which is which.
const OF_HEAD: &str = "http2 error";
