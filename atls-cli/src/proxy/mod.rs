//! `atls proxy`: attested TLS for services and clients of any language.

mod admin;
mod config;
mod forward;
mod headers;
mod identity;
mod lifecycle;
mod metrics;
mod options;
mod relay;
mod reverse;
mod upstream;

use std::io;
use std::sync::Arc;

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;
use crate::terminal::Terminal;
use lifecycle::Lifecycle;
use metrics::Metrics;

pub(crate) use config::arguments as config_arguments;
pub(crate) use options::ProxyOptions;

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn run(options: &ProxyOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    log();
    let metrics = Arc::new(Metrics::default());
    let lifecycle = Lifecycle::new(metrics.clone())?;
    let listener = listener(&options.listen).await?;
    let listens = listener.local_addr();
    let listens = listens.map_err(|error| Failure::fault("no address").because(&error))?;
    if let Some(address) = options.admin {
        let bound = admin::serve_admin(address, &metrics).await?;
        terminal.error_line(&format!("admin at http://{bound}"));
    }
    if let Some(address) = options.probes {
        let bound = admin::serve_probes(address, &metrics).await?;
        terminal.error_line(&format!("probes at http://{bound}"));
    }
    match (&options.upstream, &options.to) {
        (Some(upstream), _) => {
            terminal.error_line(&format!("listening on https://{listens}"));
            reverse::serve(options, upstream, listener, lifecycle).await
        }
        (None, Some(to)) => {
            terminal.error_line(&format!("listening on http://{listens}"));
            forward::serve(options, to, listener, lifecycle).await
        }
        (None, None) => Err(Failure::usage("--upstream or --to says where to")),
    }
}

/// A socket of its own, or the one that systemd opened.
async fn listener(address: &str) -> Result<TcpListener, Failure> {
    let failed = |error: io::Error| {
        Failure::fault(format!("{address}: nothing can listen there")).because(&error)
    };
    if address != "systemd" {
        return TcpListener::bind(address).await.map_err(failed);
    }
    let taken = ListenFd::from_env().take_tcp_listener(0).map_err(failed)?;
    let listener = taken.ok_or_else(|| {
        Failure::usage("systemd handed over no socket")
            .with_help("it needs a .socket unit; see docs/deploy")
    })?;
    listener.set_nonblocking(true).map_err(failed)?;
    TcpListener::from_std(listener).map_err(failed)
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
