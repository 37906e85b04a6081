//! One connection policy, and one for each route: who may connect at all is decided before HTTP, what a route demands on top by a
//! layer on it.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_core::PolicyViolation;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::policy::Candidate;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimVerifier;
use atls_sim::SoftwareComponent;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use demo::Authority;

/// The measurements of the two releases.
const OLD_RELEASE: [u8; 32] = [1; 32];
const NEW_RELEASE: [u8; 32] = [2; 32];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run().await
}

async fn run() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;
    let device = SimAttester::generate()?;
    let old = Arc::new(running(OLD_RELEASE)?);
    let new = Arc::new(running(NEW_RELEASE)?);

    // Both releases are known good. Which of them a route wants is the route's business.
    let verifier = SimVerifier::new(old.trust_anchor())
        .with_trust_anchor(new.trust_anchor())
        .with_reference_values(vec![OLD_RELEASE, NEW_RELEASE]);
    let clients = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()?;
    let servers = demo::trusting(&device)?;
    let terms = ServerTerms::new()
        .attester(Arc::new(device))
        .ask_peer(Arc::new(clients));

    let listener = AttestedListener::bind(
        "127.0.0.1:0",
        ServerAcceptor::new(authority.server()?, terms)?,
    )
    .await?;
    let port = listener.local_addr().port();
    let app = Router::new()
        .merge(
            Router::new()
                .route("/keys", get(async || "keys"))
                .route_layer(RequireAttestationLayer::new().with_policy(new_release)),
        )
        .merge(
            Router::new()
                .route("/data", get(async || "data"))
                .route_layer(RequireAttestationLayer::new()),
        )
        .route("/health", get(async || "healthy"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });

    let client = || -> Result<_, Box<dyn Error>> {
        Ok(Attested::builder(demo::provider())
            .roots(authority.roots()?)
            .require_peer(servers.clone()))
    };
    let clients = [
        ("unattested", client()?.build()?, [200, 403, 403]),
        (
            "old release",
            client()?.attester(old).build()?,
            [200, 200, 403],
        ),
        (
            "new release",
            client()?.attester(new).build()?,
            [200, 200, 200],
        ),
    ];
    println!("{:<12} {:>8} {:>8} {:>8}", "", "/health", "/data", "/keys");
    for (name, attested, expected) in clients {
        let client = reqwest::Client::builder().attested(&attested).build()?;
        let mut answers = Vec::new();
        for path in ["health", "data", "keys"] {
            let response = client
                .get(format!("https://localhost:{port}/{path}"))
                .send()
                .await?;
            answers.push(response.status().as_u16());
        }
        let row: String = answers
            .iter()
            .map(|answer| format!(" {answer:>8}"))
            .collect();
        println!("{name:<12}{row}");
        if answers != expected {
            return Err(format!("{name}: {expected:?} expected").into());
        }
    }
    Ok(())
}

fn running(release: [u8; 32]) -> Result<SimAttester, Box<dyn Error>> {
    Ok(SimAttester::generate()?.with_software(vec![SoftwareComponent::new("ARoT", release)]))
}

fn new_release(client: &Candidate) -> Result<(), PolicyViolation> {
    match client.claims::<SimClaims>() {
        Ok(claims)
            if claims
                .software
                .iter()
                .all(|part| part.measurement == NEW_RELEASE) =>
        {
            Ok(())
        }
        _ => Err(PolicyViolation::custom("not the new release")),
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn it_does_what_it_says() {
        super::run().await.unwrap();
    }
}
