//! From ready to stopped: signals, files that change, systemd.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use super::identity::Identity;
use super::metrics::Metrics;
use crate::failure::Failure;
use crate::trust::Reload;

/// What may be read again, and what ends it all.
pub(super) struct Lifecycle {
    metrics: Arc<Metrics>,
    identity: Option<Arc<Identity>>,
    policies: Vec<Arc<dyn Reload>>,
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Lifecycle {
    /// Catches the signals from now on.
    pub(super) fn new(metrics: Arc<Metrics>) -> Result<Self, Failure> {
        let caught = |kind| {
            signal(kind).map_err(|error| Failure::fault("signals cannot be caught").because(&error))
        };
        Ok(Self {
            metrics,
            identity: None,
            policies: Vec::new(),
            hangup: caught(SignalKind::hangup())?,
            interrupt: caught(SignalKind::interrupt())?,
            terminate: caught(SignalKind::terminate())?,
        })
    }

    pub(super) fn reload_identity(&mut self, identity: Arc<Identity>) {
        self.identity = Some(identity);
    }

    pub(super) fn reload_policies(&mut self, policies: Vec<Arc<dyn Reload>>) {
        self.policies.extend(policies);
    }

    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Says that it is ready, reads files again when told or when they changed, and ends when it is to stop.
    pub(super) async fn run(mut self) {
        notify(&[sd_notify::NotifyState::Ready]);
        let mut look = tokio::time::interval(LOOK);
        // The first one is at once.
        look.tick().await;
        loop {
            tokio::select! {
                _ = self.hangup.recv() => self.reload(),
                _ = look.tick() => self.reload_if_changed(),
                _ = self.interrupt.recv() => break,
                _ = self.terminate.recv() => break,
            }
        }
        tracing::info!("stops: requests under way finish");
        notify(&[sd_notify::NotifyState::Stopping]);
        self.metrics.drain();
    }

    fn reload(&self) {
        let identity = self.identity.iter().map(|identity| identity.reload());
        let policies = self.policies.iter().map(|policy| {
            let reloaded = policy.reload();
            reloaded.map_err(|error| Failure::usage("the policy cannot be used").because(&error))
        });
        for reloaded in identity.chain(policies) {
            self.tell(reloaded.map(|()| true));
        }
    }

    fn reload_if_changed(&self) {
        let identity = self
            .identity
            .iter()
            .map(|identity| identity.reload_if_changed());
        let policies = self.policies.iter().map(|policy| {
            let reloaded = policy.reload_if_changed();
            reloaded.map_err(|error| Failure::usage("the policy cannot be used").because(&error))
        });
        for reloaded in identity.chain(policies) {
            self.tell(reloaded);
        }
    }

    fn tell(&self, reloaded: Result<bool, Failure>) {
        match reloaded {
            Ok(false) => return,
            Ok(true) => tracing::info!("read again"),
            Err(failure) => {
                let reason = failure.reason();
                tracing::error!(fault = "local", %reason, "not read again: the old one stays in force");
                self.metrics.reloaded(false);
                return;
            }
        }
        self.metrics.reloaded(true);
    }
}

/// Tells systemd, where it started this process.
fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Without systemd there is nobody to tell, and that is no failure.
    let _ = sd_notify::notify(states);
}

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);
