//! A proxy from its start to its end.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::addresses::Addresses;
use super::admin::Published;
use super::configuration::Changed;
use super::configuration::Configuration;
use super::configuration::ReadArguments;
use super::health::Health;
use super::hosts::Hosts;
use super::lifecycle::Event;
use super::lifecycle::Events;
use super::metrics::Metrics;
use super::options::ProxyOptions;
use super::recorder;
use super::serving;
use super::serving::Serving;
use super::systemd;
use super::watched::When;
use crate::failure::Failure;

/// A proxy that serves.
pub(super) struct Proxy {
    configuration: Configuration,
    socket: TcpListener,
    serving: Serving,
    drain: Duration,
    look: Duration,
    /// Those of earlier configurations, whose connections finish.
    retired: JoinSet<()>,
    published: Arc<Published>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
}

impl Proxy {
    pub(super) async fn start(
        options: &ProxyOptions,
        read: ReadArguments,
    ) -> Result<(Self, Addresses), Failure> {
        raise_limit_of_files();
        let (configuration, options) = Configuration::new(options.config.clone(), read)?;
        let options = &options;
        let socket = socket(&options.listen)?;
        let published = Arc::new(Published::under(admin_hosts(options)));
        let metrics = Arc::new(Metrics::recording(recorder::install()?));
        let health = Arc::new(Health::default());
        let serving = Serving::start(options, &socket, &metrics).await?;
        published.publish(serving.public_keys());
        health.publish(serving.parts());
        let shared = (published.clone(), metrics.clone(), health.clone());
        let addresses = Addresses::open(options, &socket, shared).await?;
        let proxy = Self {
            configuration,
            socket,
            serving,
            drain: Duration::from_secs(options.drain),
            look: Duration::from_secs(options.look),
            retired: JoinSet::new(),
            published,
            metrics,
            health,
        };
        Ok((proxy, addresses))
    }

    /// Ends with a service that can serve no longer.
    pub(super) async fn failed(&mut self) -> Failure {
        loop {
            tokio::select! {
                failure = self.serving.failed() => return failure,
                Some(_) = self.retired.join_next() => {}
            }
        }
    }

    /// How often it is to look at them.
    pub(super) fn looks_every(&self) -> Duration {
        self.look
    }

    /// Looks at the files, and at a device that failed.
    pub(super) async fn look(&mut self) {
        self.health.look();
        if self.configuration.is_changed() {
            let taken = self.read_arguments().await;
            serving::record("arguments", taken, &self.metrics);
        }
        self.serving.reload(When::Changed);
        self.published.publish(self.serving.public_keys());
    }

    /// Reads all again, and tells systemd how that went.
    pub(super) async fn hang_up(&mut self) {
        systemd::reloading();
        let all_right = self.read_again().await;
        systemd::ready(match all_right {
            true => systemd::SERVES,
            false => "serves by what was read before: see its log",
        });
    }

    /// Reads the arguments again, or else all files that they name.
    async fn read_again(&mut self) -> bool {
        let taken = self.read_arguments().await;
        if matches!(taken, Ok(false)) {
            let all_right = self.serving.reload(When::Asked);
            self.published.publish(self.serving.public_keys());
            return all_right;
        }
        serving::record("arguments", taken, &self.metrics)
    }

    /// Tells whether others are in force.
    async fn read_arguments(&mut self) -> Result<bool, Failure> {
        let Some(changed) = self.configuration.read_again()? else {
            return Ok(false);
        };
        self.take(changed).await?;
        Ok(true)
    }

    /// Serves by other arguments. Connections finish by the old ones.
    async fn take(&mut self, changed: Changed) -> Result<(), Failure> {
        let options = &changed.options;
        let next = Serving::start(options, &self.socket, &self.metrics).await?;
        self.published.publish(next.public_keys());
        self.published.answer_under(admin_hosts(options));
        self.health.publish(next.parts());
        self.drain = self.drain.max(Duration::from_secs(options.drain));
        self.look = Duration::from_secs(options.look);
        let old = std::mem::replace(&mut self.serving, next);
        self.retired.spawn(old.stop());
        self.configuration.took(changed);
        Ok(())
    }

    /// Takes no more connections, and ends with the last one; at once where it is told to stop again.
    pub(super) async fn stop(self, mut events: Events) {
        let Self {
            socket,
            serving,
            drain,
            mut retired,
            health,
            ..
        } = self;
        tracing::info!("stops: requests under way finish");
        systemd::stopping(drain.saturating_add(SPARE));
        health.drain();
        // The system refuses connections from now on.
        drop(socket);
        retired.spawn(serving.stop());
        loop {
            tokio::select! {
                ended = retired.join_next() => {
                    if ended.is_none() {
                        return;
                    }
                }
                event = events.next() => match event {
                    Event::Stop => {
                        tracing::warn!("told to stop again: connections are closed");
                        return;
                    }
                    // Nothing that is read now would be used.
                    Event::Hangup | Event::Look => {}
                },
            }
        }
    }
}

/// The names of the port for this machine alone, where the target of a forward proxy has no business.
fn admin_hosts(options: &ProxyOptions) -> Hosts {
    Hosts::new(None, &options.host)
}

/// Each connection takes two files, and the system gives few at first.
fn raise_limit_of_files() {
    // With fewer it serves fewer.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

/// A socket of its own, or the one that systemd opened.
fn socket(address: &str) -> Result<TcpListener, Failure> {
    let failed = |error: io::Error| {
        Failure::fault(format!("{address}: nothing can listen there")).because(&error)
    };
    let listener = match address {
        "systemd" => systemd::socket()?,
        address => TcpListener::bind(address).map_err(failed)?,
    };
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// For what comes after the last connection.
const SPARE: Duration = Duration::from_secs(10);
