//! Attested TLS on one machine: an axum server that attests itself, a reqwest client that demands it, and an account of
//! what happened. `--tamper KIND` puts an attacker in between and shows the refusal.
//!
//! The platform is simulated, so this proves that the protocol works and nothing about your machine. `--platform tpm` takes a TPM in
//! software instead.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "an account of what happens is the point"
)]

mod arguments;
mod narrate;
mod tamper;
#[cfg(unix)]
mod tpm;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use atls_axum::AttestedListener;
use atls_core::Attester;
use atls_core::PeerAttestation;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::policy::RequireHybridGroup;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use demo::Authority;

use arguments::Command;
use arguments::Platform;
use narrate::NarratingAttester;
use narrate::NarratingVerifier;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome = match Command::parse(&arguments) {
        Ok(Command::Help) => {
            println!("{}", arguments::help());
            Ok(())
        }
        Ok(Command::Show(platform)) => show_on(platform).await,
        Ok(Command::Tamper(tamper)) => tamper::show(tamper).await,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("FAILED   {}", atls_core::report(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn show_on(platform: Platform) -> Result<(), Box<dyn Error>> {
    match platform {
        Platform::Simulated => {
            let device = SimAttester::generate()?;
            let verifier = SimVerifier::new(device.trust_anchor());
            show("simulated platform (proves nothing)", device, verifier).await
        }
        #[cfg(unix)]
        Platform::Tpm => tpm::show().await,
        #[cfg(not(unix))]
        Platform::Tpm => Err("swtpm is for Unix".into()),
    }
}

/// The straight line, without an attacker.
async fn show(
    platform: &str,
    device: impl Attester + 'static,
    verifier: impl Verifier + 'static,
) -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;
    let verifier = NarratingVerifier::around(verifier);

    let url = serve(&authority, device).await?;
    println!("server   listens at {url}, TLS 1.3, {platform}");

    let attested = client(&authority, Arc::new(verifier))?;
    let client = reqwest_client(&attested)?;
    println!("client   trusts the demonstration's authority and this device");
    println!("client   GET {url}");

    let started = Instant::now();
    let response = client.get(&url).send().await?;
    let first = started.elapsed();
    let peer = response.attestation(&attested)?;
    let body = response.text().await?;

    let started = Instant::now();
    client.get(&url).send().await?.error_for_status()?;
    let second = started.elapsed();

    report(&peer);
    println!("server   answered: {body}");
    println!(
        "times    first request {first:.1?} with TLS and attestation, second {second:.1?} on the same connection"
    );
    println!(
        "done     every byte of HTTP went to the attested server; try --tamper relayed-evidence"
    );
    Ok(())
}

/// An axum server that attests itself.
async fn serve(
    authority: &Authority,
    device: impl Attester + 'static,
) -> Result<String, Box<dyn Error>> {
    let terms = ServerTerms::new().attester(Arc::new(NarratingAttester::around(device)));
    let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let url = url_of(listener.local_addr());
    let app = Router::new().route("/", get(async || "hello from behind attested TLS"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    Ok(url)
}

/// The client and its demands. The policy must name the simulator to accept it; leave that line out with real hardware.
fn client(authority: &Authority, verifier: Arc<dyn Verifier>) -> Result<Attested, Box<dyn Error>> {
    let relying_party = RelyingParty::builder()
        .verifier(verifier)
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .policy(RequireHybridGroup)
        .build()?;
    Ok(Attested::builder(demo::hybrid_provider())
        .roots(authority.roots()?)
        .require_peer(Arc::new(relying_party))
        .build()?)
}

fn reqwest_client(attested: &Attested) -> Result<atls_reqwest::reqwest::Client, Box<dyn Error>> {
    let builder = atls_reqwest::reqwest::Client::builder().attested(attested);
    Ok(builder.build()?)
}

fn url_of(address: std::net::SocketAddr) -> String {
    format!("https://localhost:{}/", address.port())
}

fn report(peer: &PeerAttestation) {
    let valid_for = peer.valid_for(peer.appraised_at()).as_secs();
    println!(
        "client   accepted: status {}, bound to the {}, valid for {valid_for} s",
        peer.status(),
        peer.binding()
    );
    println!("client   connection: {}", peer.tls());
}
