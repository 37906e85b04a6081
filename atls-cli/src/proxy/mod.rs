//! `atls proxy`: attested TLS for services and clients of any language.

mod addresses;
mod admin;
mod config;
mod configuration;
mod connections;
mod device;
mod ear;
mod forward;
mod headers;
mod health;
mod hosts;
mod identity;
mod lifecycle;
mod metrics;
mod options;
mod plain;
mod preamble;
mod recorder;
mod relay;
mod reverse;
mod running;
mod service;
mod serving;
mod systemd;
mod tunnels;
mod until;
mod upstream;

use std::io;
use std::time::Duration;

use serde_json::json;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;
use crate::terminal::Terminal;
use configuration::ReadArguments;
use lifecycle::Event;
use lifecycle::Events;
use running::Proxy;

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
    let mut events = Events::new(Duration::from_secs(options.look))?;
    let (mut proxy, addresses) = Proxy::start(options, read).await?;
    addresses.announce(options, terminal)?;
    systemd::ready(systemd::SERVES);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            failure = proxy.failed() => return Err(failure),
        };
        match event {
            Event::Stop => break,
            Event::Look => proxy.look().await,
            Event::Hangup => proxy.hang_up().await,
        }
    }
    proxy.stop(events).await;
    Ok(())
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
