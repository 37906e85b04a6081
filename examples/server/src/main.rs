//! An axum server that attests itself.
//!
//! ```text
//! cargo run -p server                     in one terminal,
//! cargo run -p client                     in another
//! ```
//!
//! The client has to know two things beforehand: the authority of the server's certificate, and the key of its device.
//! With real hardware these are public roots; here they are written to `target/demo`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

mod slow;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use atls_axum::AttestationResult;
use atls_axum::AttestedListener;
use atls_core::Attester;
use atls_sim::SimAttester;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use demo::Authority;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[tokio::main]
async fn main() -> ExitCode {
    demo::program(USAGE, Arguments::of, run).await
}

struct Arguments {
    device: Device,
    address: String,
}

enum Device {
    Fast,
    Slow,
}

impl Arguments {
    fn of(words: &[&str]) -> Option<Self> {
        let (device, rest) = match words {
            ["--slow", rest @ ..] => (Device::Slow, rest),
            rest => (Device::Fast, rest),
        };
        let address = demo::one_word(rest)?.unwrap_or_else(|| "127.0.0.1:8443".to_owned());
        Some(Self { device, address })
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let filter = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("atls_tower", LevelFilter::DEBUG);
    let log = tracing_subscriber::fmt::layer().with_filter(filter);
    tracing_subscriber::registry().with(log).init();

    let authority = Authority::new()?;
    let device = SimAttester::generate()?;
    demo::publish("authority.pem", authority.pem().as_bytes())?;
    demo::publish("device.key", device.trust_anchor().public_key())?;

    let attester: Arc<dyn Attester> = match arguments.device {
        Device::Fast => Arc::new(device),
        Device::Slow => slow::batched(device)?,
    };
    let terms = ServerTerms::new().attester(attester);
    let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
    let listener = AttestedListener::bind(arguments.address, acceptor).await?;
    println!(
        "listening on https://localhost:{}",
        listener.local_addr().port()
    );

    let app = Router::new().route("/", get(hello));
    atls_axum::serve(listener, app)
        .with_graceful_shutdown(interrupted())
        .await?;
    Ok(())
}

/// This server does not demand attestation of its clients, so there may be none.
async fn hello(client: Option<AttestationResult>) -> String {
    match client {
        Some(client) => format!("hello, {} client", client.status()),
        None => "hello, whoever you are".to_owned(),
    }
}

async fn interrupted() {
    // Without signals it is stopped the hard way.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

const USAGE: &str = "\
usage: cargo run -p server [-- [--slow] [ADDRESS]]

An axum server that attests itself, by a simulated device, until Ctrl-C. It asks nobody else to.
Then run the client in another terminal: cargo run -p client

With --slow the device takes 300 ms, and connections that come meanwhile share what it makes next:
run several clients at once, and see in the log for how many each piece of Evidence was.

ADDRESS is where it listens: 127.0.0.1:8443 unless you say otherwise; port 0 is any free one.

The authority of its certificate and the key of its device are for the client, in target/demo,
or in the folder that the environment variable ATLS_DEMO names.";
