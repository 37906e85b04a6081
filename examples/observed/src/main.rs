//! Attested TLS as an operator sees it. A server and a client of it, whose numbers go to Prometheus and whose spans go to a
//! collector by OTLP.
//!
//! ```text
//! cargo run -p observed
//! curl http://127.0.0.1:9464/metrics
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 cargo run -p observed
//! ```
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

mod exporters;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use demo::Authority;
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
    observe(page, collector, stop).await
}

async fn observe(
    page: TcpListener,
    collector: Option<String>,
    stop: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let metrics = exporters::metrics()?;
    let spans = exporters::spans(collector.as_deref())?;
    // On a port of its own: who watches does not attest.
    let watched = Router::new().route("/metrics", get(async move || metrics.render()));
    tokio::spawn(async move { axum::serve(page, watched).await });

    let asking = ask_for_ever();
    println!("a client asks its server every second; Ctrl-C ends it");
    tokio::select! {
        asked = asking => asked?,
        () = stop => {}
    }
    // It blocks until the collector has the rest.
    tokio::task::spawn_blocking(move || spans.shutdown()).await??;
    Ok(())
}

/// A server, and two clients of it: one that accepts it, and one that knows another device.
async fn ask_for_ever() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;
    let device = SimAttester::generate()?;
    let accepting = demo::trusting(&device)?;
    let refusing = demo::trusting(&SimAttester::generate()?)?;
    let terms = ServerTerms::new().attester(Arc::new(device));
    let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor.clone()).await?;
    let url = format!("https://localhost:{}/", listener.local_addr().port());
    let app = Router::new().route("/", get(async || "hello"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });

    let mut clients = Vec::new();
    for servers in [accepting, refusing] {
        let attested = Attested::builder(demo::provider())
            .roots(authority.roots()?)
            .require_peer(servers)
            .build()?;
        clients.push(reqwest::Client::builder().attested(&attested).build()?);
    }
    loop {
        for client in &clients {
            // The second one fails. The metrics and the log say why.
            let _ = client.get(&url).send().await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        // So that every request is on a connection of its own, as a busy server sees them.
        acceptor.recall(Duration::from_secs(1));
    }
}

const USAGE: &str = "\
usage: cargo run -p observed [-- ADDRESS]

A server and a client of it, with the exporters of an operator: metrics for Prometheus at
http://ADDRESS/metrics (127.0.0.1:9464 unless you say otherwise), and spans by OTLP over HTTP
where OTEL_EXPORTER_OTLP_ENDPOINT names a collector, such as http://127.0.0.1:4318.";

#[cfg(test)]
mod tests;
