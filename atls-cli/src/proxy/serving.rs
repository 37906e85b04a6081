//! A service by one configuration, until another takes its place.

use std::sync::Arc;
use std::time::Duration;

use atls_reference::ReferenceError;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::forward;
use super::health::Parts;
use super::identity::Identity;
use super::metrics::Metrics;
use super::options::ProxyOptions;
use super::reverse;
use super::service::Files;
use super::service::Surroundings;
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

    /// Has the device make Evidence.
    ///
    /// # Errors
    /// A local fault where it makes none: no client would get any.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        match &self.files.device {
            Some(device) => device.check().await,
            None => Ok(()),
        }
    }

    /// The parts that may fail while it serves.
    pub(super) fn parts(&self) -> Parts {
        Parts {
            identity: self.files.identity.clone(),
            device: self.files.device.clone(),
        }
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
        let Self {
            stop,
            task,
            tunnels,
            files,
            ..
        } = self;
        // What is recalled could begin further tunnels, and all of them would be waited for.
        drop((stop, files));
        let _ = task.await;
        tunnels.ended().await;
    }

    /// Reads its files again, and attests peers anew where there are policies. Tells whether all of them were right.
    pub(super) fn reload(&self) -> bool {
        self.read(
            |identity| identity.reload().map(|()| true),
            |policy| policy.reload().map(|()| true),
        )
    }

    /// The same with those that changed.
    pub(super) fn reload_if_changed(&self) -> bool {
        self.read(Identity::reload_if_changed, |policy| {
            policy.reload_if_changed()
        })
    }

    fn read(
        &self,
        identity: impl Fn(&Identity) -> Result<bool, Failure>,
        policy: impl Fn(&dyn Reload) -> Result<bool, ReferenceError>,
    ) -> bool {
        let mut all_right = match &self.files.identity {
            Some(files) => record("certificate", identity(files), &self.metrics),
            None => true,
        };
        let mut is_changed = false;
        for file in &self.files.policies {
            let read = policy(&**file)
                .map_err(|error| Failure::usage("the policy cannot be used").because(&error));
            is_changed |= matches!(read, Ok(true));
            all_right &= record("policy", read, &self.metrics);
        }
        if is_changed {
            self.files.accepted.recall();
            tracing::info!("peers are attested anew");
        }
        all_right
    }
}

/// Says and counts whether this was read again, and tells whether that went well.
pub(super) fn record(what: &str, reloaded: Result<bool, Failure>, metrics: &Metrics) -> bool {
    match reloaded {
        Ok(false) => true,
        Ok(true) => {
            tracing::info!(what, "read again");
            metrics.reloaded(true);
            true
        }
        Err(failure) => {
            let reason = failure.reason();
            tracing::error!(fault = "local", what, %reason, "not read again: the old one stays in force");
            metrics.reloaded(false);
            false
        }
    }
}
