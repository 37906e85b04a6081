//! The side of systemd: the socket that it opened, and what it is told (`sd_listen_fds(3)`, `sd_notify(3)`).

use std::net::TcpListener;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use socket2::SockRef;

use crate::failure::Failure;

/// The one socket that a `.socket` unit opened.
///
/// # Errors
/// A usage failure where there is none, another kind of one, or several: clients of those that nobody serves would wait for ever.
pub(super) fn socket() -> Result<TcpListener, Failure> {
    let wrong = |what: String| {
        Failure::usage(what)
            .with_help("it needs a .socket unit with one ListenStream; see docs/deploy")
    };
    let mut handed_over = ListenFd::from_env();
    if handed_over.len() > 1 {
        let number = handed_over.len();
        return Err(wrong(format!(
            "systemd handed over {number} sockets, and one is served"
        )));
    }
    let taken = handed_over
        .take_tcp_listener(0)
        .map_err(|error| wrong("systemd handed over something else".to_owned()).because(&error))?;
    let socket = taken.ok_or_else(|| wrong("systemd handed over no socket".to_owned()))?;
    match SockRef::from(&socket).is_listener() {
        Ok(true) => Ok(socket),
        // Such as one connection, by Accept=yes.
        _ => Err(wrong(
            "systemd handed over a socket that does not listen".to_owned(),
        )),
    }
}

/// It serves, by this word about its last reading of files.
pub(super) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// It reads its files again; [`ready`] says that it has.
pub(super) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        notify(&[NotifyState::Reloading, now]);
    }
}

/// It ends within this time, whatever `TimeoutStopSec` says.
pub(super) fn stopping(within: Duration) {
    let time = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
    notify(&[
        NotifyState::Stopping,
        NotifyState::Status("requests under way finish"),
        NotifyState::ExtendTimeoutUsec(time),
    ]);
}

/// How often it must say that it is alive, where it must: twice within `WatchdogSec`.
pub(super) fn watchdog() -> Option<Duration> {
    let half = sd_notify::watchdog_enabled()?.checked_div(2)?;
    (!half.is_zero()).then_some(half)
}

/// It is alive.
pub(super) fn alive() {
    notify(&[NotifyState::Watchdog]);
}

fn notify(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell, and that is no failure.
    let _ = sd_notify::notify(states);
}

/// All that it was told to read is in force.
pub(super) const SERVES: &str = "serves";
