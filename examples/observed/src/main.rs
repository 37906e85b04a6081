//! Attested TLS as an operator sees it. Servers and clients of them, whose numbers go to Prometheus and whose spans go to a
//! collector by OTLP. Device, verification service and maker of collateral fail now and then, so that each panel of the dashboard in
//! docs/operations, and each alert beside it, has something to show.
//!
//! ```text
//! cargo run -p observed
//! curl http://127.0.0.1:9464/metrics
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 cargo run -p observed
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

mod collateral;
mod device;
mod exporters;
mod service;
mod traffic;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    demo::program(USAGE, demo::one_word, run).await
}

async fn run(address: Option<String>) -> Result<(), Box<dyn Error>> {
    let address = address.unwrap_or_else(|| "127.0.0.1:9464".to_owned());
    let page = TcpListener::bind(address).await?;
    println!("metrics: http://{}/metrics", page.local_addr()?);
    let collector = std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    observe(page, collector, PAUSE, stop).await
}

async fn observe(
    page: TcpListener,
    collector: Option<String>,
    pause: Duration,
    stop: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let metrics = exporters::metrics()?;
    let spans = exporters::spans(collector.as_deref())?;
    // On a port of its own: who watches does not attest.
    let watched = Router::new().route("/metrics", get(async move || metrics.render()));
    tokio::spawn(async move { axum::serve(page, watched).await });

    let asking = traffic::for_ever(pause);
    println!("clients ask their servers every second; Ctrl-C ends it");
    tokio::select! {
        asked = asking => asked?,
        () = stop => {}
    }
    // It blocks until the collector has the rest.
    tokio::task::spawn_blocking(move || spans.shutdown()).await??;
    Ok(())
}

/// Between two rounds of requests.
const PAUSE: Duration = Duration::from_secs(1);

const USAGE: &str = "\
usage: cargo run -p observed [-- ADDRESS]

Servers and clients of them, with the exporters of an operator: metrics for Prometheus at
http://ADDRESS/metrics (127.0.0.1:9464 unless you say otherwise), and spans by OTLP over HTTP
where OTEL_EXPORTER_OTLP_ENDPOINT names a collector, such as http://127.0.0.1:4318.";

#[cfg(test)]
mod tests;
