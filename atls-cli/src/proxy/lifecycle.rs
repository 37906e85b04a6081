//! From ready to stopped: signals, files that change, systemd.

use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::time::Interval;
use tokio::time::MissedTickBehavior;

use crate::failure::Failure;

/// An event from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// SIGHUP: everything is to be read again.
    Hangup,
    /// It is time to see which files changed.
    Look,
    /// SIGINT or SIGTERM.
    Stop,
}

pub(super) struct Events {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    look: Interval,
}

impl Events {
    /// Catches the signals from now on, and looks at files this often.
    pub(super) fn new(look: Duration) -> Result<Self, Failure> {
        let caught = |kind| {
            signal(kind).map_err(|error| Failure::fault("signals cannot be caught").because(&error))
        };
        // The first tick would be at once.
        let now = tokio::time::Instant::now();
        let first = now.checked_add(look).unwrap_or(now);
        let mut look = tokio::time::interval_at(first, look);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            hangup: caught(SignalKind::hangup())?,
            interrupt: caught(SignalKind::interrupt())?,
            terminate: caught(SignalKind::terminate())?,
            look,
        })
    }

    pub(super) async fn next(&mut self) -> Event {
        tokio::select! {
            _ = self.interrupt.recv() => Event::Stop,
            _ = self.terminate.recv() => Event::Stop,
            _ = self.hangup.recv() => Event::Hangup,
            _ = self.look.tick() => Event::Look,
        }
    }
}

/// Tells systemd, where it started this process.
pub(super) fn notify(state: sd_notify::NotifyState<'_>) {
    // Without systemd there is nobody to tell, and that is no failure.
    let _ = sd_notify::notify(&[state]);
}
