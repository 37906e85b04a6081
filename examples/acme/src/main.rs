//! An attested server with a certificate by ACME. docs/acme.md has the commands, with an ACME server of your own.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use acme::Current;
use acme::Issuer;
use acme::Name;
use acme::Occasion;
use acme::Renewal;
use atls_axum::AttestedListener;
use atls_remote::ReqwestClient;
use atls_remote::reqwest;
use atls_sim::SimAttester;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;
use tokio::sync::Notify;

#[tokio::main]
async fn main() -> ExitCode {
    demo::program(USAGE, Arguments::of, run).await
}

struct Arguments {
    directory: http::Uri,
    authority: String,
    address: String,
    /// Identifier, and the file of the key.
    external: Option<(String, String)>,
    names: Vec<Name>,
}

impl Arguments {
    fn of(words: &[&str]) -> Option<Self> {
        let (address, rest) = match words {
            ["--listen", address, rest @ ..] => (*address, rest),
            rest => ("0.0.0.0:443", rest),
        };
        let (external, rest) = match rest {
            ["--eab", id, file, rest @ ..] => (Some(((*id).to_owned(), (*file).to_owned())), rest),
            rest => (None, rest),
        };
        let [directory, authority, names @ ..] = rest else {
            return None;
        };
        let names: Vec<Name> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let all_are_names = names.len() == rest.len().saturating_sub(2);
        (all_are_names && !names.is_empty()).then_some(())?;
        Some(Self {
            directory: directory.parse().ok()?,
            authority: (*authority).to_owned(),
            address: address.to_owned(),
            external,
            names,
        })
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let clock: Arc<dyn TimeProvider> = Arc::new(DefaultTimeProvider);
    let http = Arc::new(http(&arguments.authority)?);
    let (directory, names) = (arguments.directory, arguments.names);
    let mut issuer = Issuer::new(http, directory, names, demo::provider(), clock.clone())?;
    if let Some((id, file)) = &arguments.external {
        let key = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let key = BASE64_URL_SAFE_NO_PAD.decode(key.trim());
        // The error would tell a byte of it.
        let key = key.map_err(|_| format!("{file}: it is no base64url"))?;
        issuer = issuer.with_external_account(id, &key);
    }

    // The machine's device. Its Evidence is over whatever key a connection has, so it waits for no certificate.
    let device = SimAttester::generate()?;
    demo::publish("device.key", device.trust_anchor().public_key())?;
    let terms = ServerTerms::new()
        .attester(Arc::new(device))
        .tls_alpn_01(issuer.challenges());
    let current = Arc::new(Current::default());
    let acceptor = ServerAcceptor::new(tls(&current)?, terms)?;

    // The ACME server connects to this port before there is a certificate. The handshakes of early clients fail.
    let listener = AttestedListener::bind(arguments.address, acceptor.clone()).await?;
    println!("listening on {}", listener.local_addr());
    let app = Router::new().route("/", get(async || "hello"));
    let serving = atls_axum::serve(listener, app).with_graceful_shutdown(interrupted());
    tokio::select! {
        served = serving => served?,
        never = keep(Renewal::new(issuer, current, clock), acceptor) => never?,
    }
    Ok(())
}

/// Keeps the service in certificates.
async fn keep(
    mut renewal: Renewal<Issuer>,
    acceptor: ServerAcceptor,
) -> Result<(), Box<dyn Error>> {
    let asked = Arc::new(Notify::new());
    let mut hangup = signal(SignalKind::hangup())?;
    let ask = asked.clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            ask.notify_one();
        }
    });
    loop {
        // Connections keep the key that they began with, until their attestation ends. A certificate that is asked for has a reason, such as a
        // key that leaked: then they end now.
        if renewal.next(&asked).await == Occasion::Asked {
            acceptor.recall(DRAIN);
        }
    }
}

fn tls(current: &Arc<Current>) -> Result<ServerConfig, rustls::Error> {
    let mut tls = ServerConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(current.clone());
    // Without `acme-tls/1`: it carries no application.
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// For the ACME server, whose certificate is checked against these roots.
fn http(authority: &str) -> Result<ReqwestClient, Box<dyn Error>> {
    let roots = std::fs::read_to_string(authority);
    let roots = roots.map_err(|error| format!("{authority}: {error}"))?;
    let tls = ClientConfig::builder_with_provider(demo::provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(demo::roots_of(&roots)?)
        .with_no_client_auth();
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
    Ok(ReqwestClient::build(builder)?)
}

async fn interrupted() {
    // Without signals it is stopped the hard way.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// For requests under way, and for what must end its stream.
const DRAIN: Duration = Duration::from_secs(60);

const USAGE: &str = "\
usage: cargo run -p acme -- [--listen ADDRESS] [--eab ID KEY] DIRECTORY ROOTS NAME...

An axum server that attests itself, by a simulated device, with a key that is made in this process
and a certificate by ACME, until Ctrl-C. The certificate is renewed in time, and at once on SIGHUP,
which also has the connections of before end within a minute.

DIRECTORY is the URL of the ACME server's directory. To use it is to agree to that server's terms.
ROOTS is a file with the roots of that server's own certificate, in PEM.
NAME is a DNS name or IP address of this server; the ACME server connects to it, at port 443.
ADDRESS is where this server listens: 0.0.0.0:443 unless you say otherwise.
ID and KEY bind the account to one that you have with the ACME server (external account binding):
its identifier, and a file with its key in base64url.

The key of its device is for the client, in target/demo, or in the folder that ATLS_DEMO names.";
