//! From ready to stopped: signals, files that change, the watchdog of systemd.

use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::time::Interval;
use tokio::time::MissedTickBehavior;

use super::systemd;
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
    watchdog: Option<Interval>,
}

impl Events {
    /// Catches the signals from now on, and looks at files this often.
    pub(super) fn new(look: Duration) -> Result<Self, Failure> {
        let caught = |kind| {
            signal(kind).map_err(|error| Failure::fault("signals cannot be caught").because(&error))
        };
        Ok(Self {
            hangup: caught(SignalKind::hangup())?,
            interrupt: caught(SignalKind::interrupt())?,
            terminate: caught(SignalKind::terminate())?,
            look: every(look),
            watchdog: systemd::watchdog().map(every),
        })
    }

    /// Looks at files this often from now on.
    pub(super) fn look_every(&mut self, look: Duration) {
        if self.look.period() != look {
            self.look = every(look);
        }
    }

    /// The next event. systemd is told meanwhile that this process is alive.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return Event::Stop,
                _ = self.terminate.recv() => return Event::Stop,
                _ = self.hangup.recv() => return Event::Hangup,
                _ = self.look.tick() => return Event::Look,
                () = ticked(self.watchdog.as_mut()) => systemd::alive(),
            }
        }
    }
}

async fn ticked(interval: Option<&mut Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Ticks after this time, and then as often.
fn every(time: Duration) -> Interval {
    let now = tokio::time::Instant::now();
    let first = now.checked_add(time).unwrap_or(now);
    let mut interval = tokio::time::interval_at(first, time);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
