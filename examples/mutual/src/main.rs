//! Client and server attest to each other, the client after the server passed. One route is for attested clients only,
//! and one of them for those that run the current release.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::sync::Arc;

use atls_axum::AttestationResult;
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
use atls_sim::TrustAnchor;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use demo::Authority;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;
    let server_device = SimAttester::generate()?;
    let client_device = SimAttester::generate()?;
    let about_servers = relying_party(server_device.trust_anchor())?;
    let about_clients = relying_party(client_device.trust_anchor())?;

    // The server serves anybody, and asks those that can attest to do so.
    let terms = ServerTerms::new()
        .attester(Arc::new(server_device))
        .ask_peer(about_clients);
    let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let port = listener.local_addr().port();
    let app = Router::new()
        .route("/secret", get(secret))
        .route_layer(RequireAttestationLayer::new().with_policy(runs_current_release))
        .route("/public", get(async || "for everybody"));
    tokio::spawn(async move { atls_axum::serve(listener, app).await });

    let stranger = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(about_servers.clone())
        .build()?;
    let colleague = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(about_servers)
        .attester(Arc::new(client_device))
        .build()?;
    for (name, attested, to_the_secret) in [
        ("unattested client", stranger, StatusCode::FORBIDDEN),
        ("attested client", colleague, StatusCode::OK),
    ] {
        let client = reqwest::Client::builder().attested(&attested).build()?;
        for (path, expected) in [("public", StatusCode::OK), ("secret", to_the_secret)] {
            let response = client
                .get(format!("https://localhost:{port}/{path}"))
                .send()
                .await?;
            let status = response.status();
            println!("{name}: GET /{path}: {status}: {}", response.text().await?);
            if status != expected {
                return Err(format!("{expected} was to be expected").into());
            }
        }
    }
    Ok(())
}

async fn secret(client: AttestationResult) -> String {
    format!("for you, who are {}", client.status())
}

/// A policy of the application, over the claims that the platform's verifier checked.
fn runs_current_release(client: &Candidate) -> Result<(), PolicyViolation> {
    // Several devices, or none, are a violation too.
    let claims: &SimClaims = client.claims()?;
    let current = |part: &atls_sim::SoftwareComponent| part.measurement == SimAttester::SOFTWARE;
    if claims.software.iter().all(current) {
        Ok(())
    } else {
        Err(PolicyViolation::custom("not the current release"))
    }
}

fn relying_party(device: TrustAnchor) -> Result<Arc<RelyingParty>, Box<dyn Error>> {
    Ok(Arc::new(
        RelyingParty::builder()
            .verifier(Arc::new(SimVerifier::new(device)))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
            .build()?,
    ))
}
