//! A reqwest client that demands attestation of its server. Start the `server` example first.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_sim::SimVerifier;
use atls_sim::TrustAnchor;

#[tokio::main]
async fn main() -> ExitCode {
    demo::program(USAGE, demo::one_word, run).await
}

async fn run(url: Option<String>) -> Result<(), Box<dyn Error>> {
    let url = url.unwrap_or_else(|| "https://localhost:8443/".to_owned());

    let roots = demo::roots_of(&String::from_utf8(demo::published("authority.pem")?)?)?;
    let device = TrustAnchor::from_public_key(&demo::published("device.key")?)?;
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device)))
        // Leave this out with real hardware: it is what accepts a simulator.
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()?;

    let attested = Attested::builder(demo::provider())
        .roots(roots)
        .require_peer(Arc::new(relying_party))
        .build()?;
    let client = reqwest::Client::builder().attested(&attested).build()?;

    let response = client.get(url).send().await?;
    let peer = response.attestation(&attested)?;
    println!(
        "the server is {}, bound to the {}",
        peer.status(),
        peer.binding()
    );
    println!("it says: {}", response.text().await?);
    Ok(())
}

const USAGE: &str = "\
usage: cargo run -p client [-- URL]

A reqwest client that demands attestation of its server, and sends nothing to one that does not
attest. Start the server example first: cargo run -p server

URL is https://localhost:8443/ unless you say otherwise.

The authority and the device to accept are read from target/demo, where the server wrote them, or
from the folder that the environment variable ATLS_DEMO names.";
