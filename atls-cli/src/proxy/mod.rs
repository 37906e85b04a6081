//! `atls proxy`: attested TLS for services and clients of any language.

mod admin;
mod config;
mod configuration;
mod connections;
mod ear;
mod forward;
mod headers;
mod hosts;
mod identity;
mod lifecycle;
mod metrics;
mod options;
mod preamble;
mod relay;
mod reverse;
mod service;
mod serving;
mod tunnels;
mod until;
mod upstream;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use sd_notify::NotifyState;
use serde_json::json;
use tokio::task::JoinSet;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;
use crate::terminal::Terminal;
use admin::Keys;
use configuration::Configuration;
use configuration::ReadArguments;
use lifecycle::Event;
use lifecycle::Events;
use metrics::Metrics;
use serving::Serving;

pub(crate) use config::arguments as config_arguments;
pub(crate) use options::ProxyOptions;

/// Serves until SIGTERM or SIGINT. The arguments are read again where their file changed.
pub(crate) async fn run(
    options: &ProxyOptions,
    read: ReadArguments,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    match serve(options, read, terminal).await {
        Err(failure) if options.json => {
            terminal.out_json(&json!({ "serving": false, "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        ended => ended,
    }
}

async fn serve(
    options: &ProxyOptions,
    read: ReadArguments,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    log();
    let metrics = Arc::new(Metrics::default());
    let mut events = Events::new(Duration::from_secs(options.look.max(1)))?;
    let mut configuration = Configuration::new(options, read)?;
    let socket = socket(&options.listen)?;
    let keys = Arc::new(Keys::default());
    keys.publish(ear::public_keys(&options.ear)?);
    let addresses = Addresses::open(options, &socket, &keys, &metrics).await?;
    let mut serving = Serving::start(options, &socket, &metrics)?;
    addresses.announce(options, terminal)?;
    lifecycle::notify(NotifyState::Ready);
    let mut retired = JoinSet::new();
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            failure = serving.failed() => return Err(failure),
            Some(_) = retired.join_next() => continue,
        };
        match event {
            Event::Stop => break,
            Event::Look if !configuration.is_changed() => serving.reload_if_changed(),
            Event::Hangup | Event::Look => {
                let next = configuration.read_again().and_then(|changed| {
                    let changed = changed.as_ref();
                    changed
                        .map(|options| {
                            let published = ear::public_keys(&options.ear)?;
                            let next = Serving::start(options, &socket, &metrics)?;
                            keys.publish(published);
                            Ok(next)
                        })
                        .transpose()
                });
                match next {
                    Ok(None) => serving.reload(),
                    Ok(Some(next)) => {
                        // Connections finish by the old configuration.
                        retired.spawn(std::mem::replace(&mut serving, next).stop());
                        serving::record(Ok(true), &metrics);
                    }
                    Err(failure) => serving::record(Err(failure), &metrics),
                }
            }
        }
    }
    tracing::info!("stops: requests under way finish");
    lifecycle::notify(NotifyState::Stopping);
    metrics.drain();
    // The system refuses connections from now on.
    drop(socket);
    retired.spawn(serving.stop());
    while retired.join_next().await.is_some() {}
    Ok(())
}

/// A socket of its own, or the one that systemd opened.
fn socket(address: &str) -> Result<TcpListener, Failure> {
    let failed = |error: io::Error| {
        Failure::fault(format!("{address}: nothing can listen there")).because(&error)
    };
    let listener = match address {
        "systemd" => {
            let taken = ListenFd::from_env().take_tcp_listener(0).map_err(failed)?;
            taken.ok_or_else(|| {
                Failure::usage("systemd handed over no socket")
                    .with_help("it needs a .socket unit; see docs/deploy")
            })?
        }
        address => TcpListener::bind(address).map_err(failed)?,
    };
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// The addresses at which it is reached.
struct Addresses {
    listening: String,
    admin: Option<String>,
    probes: Option<String>,
}

impl Addresses {
    async fn open(
        options: &ProxyOptions,
        socket: &TcpListener,
        keys: &Arc<Keys>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, Failure> {
        let listens = socket.local_addr();
        let listens = listens.map_err(|error| Failure::fault("no address").because(&error))?;
        let scheme = match options.upstream {
            Some(_) => "https",
            None => "http",
        };
        let mut addresses = Self {
            listening: format!("{scheme}://{listens}"),
            admin: None,
            probes: None,
        };
        if let Some(address) = options.admin {
            let bound = admin::serve_admin(address, keys.clone(), metrics).await?;
            addresses.admin = Some(format!("http://{bound}"));
        }
        if let Some(address) = options.probes {
            let bound = admin::serve_probes(address, metrics).await?;
            addresses.probes = Some(format!("http://{bound}"));
        }
        Ok(addresses)
    }

    fn announce(&self, options: &ProxyOptions, terminal: &mut Terminal) -> Result<(), Failure> {
        if options.json {
            terminal.out_json(&json!({
                "serving": true,
                "listening": self.listening,
                "admin": self.admin,
                "probes": self.probes,
            }))?;
            return terminal.flush();
        }
        for (name, url) in [("admin", &self.admin), ("probes", &self.probes)] {
            if let Some(url) = url {
                terminal.error_line(&format!("{name} at {url}"));
            }
        }
        terminal.error_line(&format!("listening on {}", self.listening));
        Ok(())
    }
}

/// One line for each event, on the standard error.
fn log() {
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("atls", LevelFilter::INFO)
        .with_target("atls_tower", LevelFilter::INFO)
        .with_target("atls_axum", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_filter(filter);
    // A second subscriber would be one of a test.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}
