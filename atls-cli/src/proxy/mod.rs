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
mod holding;
mod hosts;
mod identity;
mod lifecycle;
mod log;
mod metrics;
mod options;
mod plain;
mod preamble;
mod recorder;
mod relay;
mod reread;
mod reverse;
mod running;
mod service;
mod serving;
mod spread;
mod stated;
mod systemd;
mod together;
mod trusted;
mod tunnels;
mod until;
mod upstream;
mod watched;

use std::time::Duration;

use serde_json::json;

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
    log::start();
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
        events.look_every(proxy.looks_every());
    }
    proxy.stop(events).await;
    Ok(())
}
