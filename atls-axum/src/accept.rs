//! Accepts sockets, whatever becomes of one of them.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Accepts a connection as an [`AttestedListener`](crate::AttestedListener) does, for a plain port beside it, such as one of metrics.
///
/// A connection that fails before it is accepted is passed over. Where the process or its machine can take no connection, out of
/// file descriptors most likely, it is tried again each second, and the log tells of it once a minute at `error`.
///
/// Cancel-safe: no connection is lost.
///
/// ```
/// # use tokio::net::TcpListener;
/// # async fn answer(socket: tokio::net::TcpStream) {}
/// # async fn example() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:9100").await?;
/// loop {
///     let (socket, _client) = atls_axum::accept(&listener).await;
///     tokio::spawn(answer(socket));
/// }
/// # }
/// ```
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => pause_after(&error).await,
        }
    }
}

/// Ends when it may be tried again.
async fn pause_after(error: &io::Error) {
    if concerns_one_connection(error) {
        return;
    }
    if is_news(&TOLD_AT, Instant::now()) {
        tracing::error!(fault = "local", %error, "cannot accept connections");
    }
    // Others must end before the next can begin.
    tokio::time::sleep(PAUSE).await;
}

fn is_news(told_at: &Mutex<Option<Instant>>, now: Instant) -> bool {
    let mut told_at = told_at.lock().unwrap_or_else(PoisonError::into_inner);
    let is_news = told_at.is_none_or(|at| now.saturating_duration_since(at) >= AGAIN);
    if is_news {
        *told_at = Some(now);
    }
    is_news
}

/// Of the process, as the descriptors are: connections that come and go between two failures are not to have each failure told.
static TOLD_AT: Mutex<Option<Instant>> = Mutex::new(None);

/// Linux gives the errors of a connection's network to whoever accepts it: accept(2). All others would come again at once.
fn concerns_one_connection(error: &io::Error) -> bool {
    let by_number = matches!(
        error.raw_os_error(),
        Some(ENONET | EPROTO | ENOPROTOOPT | EHOSTDOWN)
    );
    let by_kind = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::TimedOut
    );
    by_kind || cfg!(target_os = "linux") && by_number
}

/// Of errno(3) in Linux, where they have no kind of their own.
const ENONET: i32 = 64;
const EPROTO: i32 = 71;
const ENOPROTOOPT: i32 = 92;
const EHOSTDOWN: i32 = 112;

/// Until it is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Until the same is said again.
const AGAIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it waits, of so many of these errors.
    async fn pauses(errors: &[i32]) -> u64 {
        let begun = Instant::now();
        for error in errors {
            let error = io::Error::from_raw_os_error(*error);
            pause_after(&error).await;
        }
        begun.elapsed().as_secs()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn a_connection_that_fails_holds_up_no_other() {
        // Of errno(3): EINTR, ENETDOWN, ENETUNREACH, ECONNABORTED, ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH.
        let of_one = [4, 100, 101, 103, 104, 110, 111, 113];
        assert_eq!(pauses(&of_one).await, 0);
        let of_one = [ENONET, EPROTO, ENOPROTOOPT, EHOSTDOWN];
        assert_eq!(pauses(&of_one).await, 0);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn a_process_that_can_take_none_waits_before_each_try() {
        // ENOMEM, ENFILE, EMFILE, ENOBUFS.
        assert_eq!(pauses(&[12, 23, 24, 105]).await, 4);
        // EPERM, EBADF and EINVAL would come again for ever.
        assert_eq!(pauses(&[1, 9, 22]).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_is_told_once_a_minute() {
        let told_at = Mutex::new(None);
        assert!(is_news(&told_at, Instant::now()));
        tokio::time::advance(AGAIN - PAUSE).await;
        assert!(!is_news(&told_at, Instant::now()));
        tokio::time::advance(PAUSE).await;
        assert!(is_news(&told_at, Instant::now()));
        assert!(!is_news(&told_at, Instant::now()));
    }
}
