//! A service by one configuration, until another takes its place.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::forward;
use super::identity::Identity;
use super::metrics::Metrics;
use super::options::ProxyOptions;
use super::reverse;
use super::tunnels::AllTunnels;
use super::tunnels::Stop;
use super::tunnels::Tunnels;
use crate::failure::Failure;
use crate::trust::Reload;

/// It serves until it is stopped.
pub(super) struct Serving {
    stop: watch::Sender<()>,
    task: JoinHandle<Result<(), Failure>>,
    tunnels: AllTunnels,
    files: Files,
    metrics: Arc<Metrics>,
}

/// The surroundings that a service shares.
pub(super) struct Surroundings {
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: Stop,
    pub(super) tunnels: Tunnels,
    pub(super) drain: Duration,
}

/// The files of a service that are read again while it goes on.
#[derive(Default)]
pub(super) struct Files {
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) policies: Vec<Arc<dyn Reload>>,
}

impl Serving {
    /// Starts over a socket, which others may hold too.
    ///
    /// # Errors
    /// Those of the arguments and the files that they name. Nothing was started then.
    pub(super) fn start(
        options: &ProxyOptions,
        socket: &std::net::TcpListener,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, Failure> {
        let failed =
            |error: std::io::Error| Failure::fault("the socket cannot be used").because(&error);
        let listener = socket.try_clone().map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let (sender, stop) = Stop::new();
        let drain = Duration::from_secs(options.drain);
        let (tunnels, all_tunnels) = Tunnels::new(stop.clone(), drain);
        let surroundings = Surroundings {
            metrics: metrics.clone(),
            stop,
            tunnels,
            drain,
        };
        let (files, serving) = match (&options.upstream, &options.to) {
            (Some(upstream), _) => reverse::serve(options, upstream, listener, surroundings)?,
            (None, Some(to)) => forward::serve(options, to, listener, surroundings)?,
            (None, None) => return Err(Failure::usage("--upstream or --to says where to")),
        };
        Ok(Self {
            stop: sender,
            task: tokio::spawn(serving),
            tunnels: all_tunnels,
            files,
            metrics: metrics.clone(),
        })
    }

    /// Ends with a service that can serve no longer.
    pub(super) async fn failed(&mut self) -> Failure {
        match (&mut self.task).await {
            Ok(Err(failure)) => failure,
            Ok(Ok(())) => Failure::fault("the service ended by itself"),
            Err(error) => Failure::fault("the service ended").because(&error),
        }
    }

    /// Takes no more connections, and ends with the last one, which is at most the time to drain later.
    pub(super) async fn stop(self) {
        drop(self.stop);
        let _ = self.task.await;
        self.tunnels.ended().await;
    }

    /// Reads its files again.
    pub(super) fn reload(&self) {
        let identity = self.files.identity.iter();
        let identity = identity.map(|identity| identity.reload());
        let policies = self.files.policies.iter().map(|policy| {
            let reloaded = policy.reload();
            reloaded.map_err(|error| Failure::usage("the policy cannot be used").because(&error))
        });
        for reloaded in identity.chain(policies) {
            record(reloaded.map(|()| true), &self.metrics);
        }
    }

    /// The same with those that changed.
    pub(super) fn reload_if_changed(&self) {
        let identity = self.files.identity.iter();
        let identity = identity.map(|identity| identity.reload_if_changed());
        let policies = self.files.policies.iter().map(|policy| {
            let reloaded = policy.reload_if_changed();
            reloaded.map_err(|error| Failure::usage("the policy cannot be used").because(&error))
        });
        for reloaded in identity.chain(policies) {
            record(reloaded, &self.metrics);
        }
    }
}

/// Says and counts whether something was read again.
pub(super) fn record(reloaded: Result<bool, Failure>, metrics: &Metrics) {
    match reloaded {
        Ok(false) => {}
        Ok(true) => {
            tracing::info!("read again");
            metrics.reloaded(true);
        }
        Err(failure) => {
            let reason = failure.reason();
            tracing::error!(fault = "local", %reason, "not read again: the old one stays in force");
            metrics.reloaded(false);
        }
    }
}
