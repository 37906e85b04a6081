//! The passport model (RFC 9334 §5.1), with a verifier that attests itself.
//!
//! ```text
//!            1 who are you?  2 attested TLS: the verifier's own Evidence
//!  server ◀──────────────────────────────────────────────────────────▶ verification service
//!    │       3 the server's Evidence          4 signed result
//!    │
//!    └── 5 the result, on the client's connection ──▶ client, which asks nobody
//! ```
//!
//! The verification service is a stand-in that speaks Trustee's REST API and signs as Trustee does; the server's platform is
//! Trustee's simulator. So this shows who talks to whom, and proves nothing about your machine.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::error::Error;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_axum::RouterExt;
use atls_core::Attester;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::ear::VerificationKeys;
use atls_passport::PassportAttester;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_remote::Endpoint;
use atls_remote::RemoteIssuer;
use atls_remote::RemoteVerifier;
use atls_remote::ReqwestClient;
use atls_remote::Resilient;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_trustee::SampleAttester;
use atls_trustee::SampleEvidence;
use atls_trustee::TrusteeService;
use axum::Router;
use axum::routing::get;
use demo::Authority;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use stand_in::Signer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authority = Authority::new()?;

    // The verification service runs on an attested machine of its own.
    let signer = Arc::new(Signer::es256());
    let its_device = SimAttester::generate()?;
    let about_the_service = demo::trusting(&its_device)?;
    let app = stand_in::trustee(signer.clone(), seconds);
    let service = serve(&authority, Arc::new(its_device), app).await?;
    println!("verifier  listens at {service}, and attests itself");

    // The server asks it over attested TLS: Evidence goes to nobody but that machine.
    let to_the_service = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(about_the_service)
        .build()?;
    let builder = reqwest::Client::builder().attested(&to_the_service);
    let http = Arc::new(Resilient::new(
        "trustee",
        Arc::new(ReqwestClient::build(builder)?),
    ));
    let keys = Arc::new(signer.keys());
    let trustee = TrusteeService::new(&Endpoint::https(&service)?, http.clone())?;
    let verifier = RemoteVerifier::builder(trustee, keys, &demo::provider())
        .format(SampleEvidence::new())
        .build()?;
    let issuer = RemoteIssuer::new(verifier)?;
    let attester = PassportAttester::new(Arc::new(SampleAttester::new("1")?), Arc::new(issuer));
    let hello = Router::new().route("/", get(async || "hello"));
    let server = serve(&authority, Arc::new(attester), hello).await?;
    println!("server    listens at {server}, and gets a passport for each connection");

    // The client knows the verifier's key, and under which policy it is believed. It asks nobody.
    let attested = client(&authority, signer.keys())?;
    let response = reqwest::Client::builder()
        .attested(&attested)
        .build()?
        .get(&server)
        .send()
        .await?;
    let peer = response.attestation(&attested)?;
    let verifier = peer
        .items()
        .iter()
        .map(|item| item.ear().verifier().developer());
    println!(
        "client    the server is {}, bound to the {}, says {}",
        peer.status(),
        peer.binding(),
        verifier.collect::<Vec<_>>().join(", ")
    );
    println!("client    got {:?}", response.text().await?);
    println!("server    asked: {:?}", http.stats());

    // Another signer's passports are worth nothing.
    let distrusting = client(&authority, Signer::es256().keys())?;
    let refused = reqwest::Client::builder()
        .attested(&distrusting)
        .build()?
        .get(&server)
        .send()
        .await;
    match refused {
        Ok(_) => return Err("a passport of an unknown issuer was accepted".into()),
        Err(error) => println!(
            "client    that trusts another verifier: refused, {}",
            told(&error)
        ),
    }
    Ok(())
}

fn client(authority: &Authority, keys: VerificationKeys) -> Result<Attested, Box<dyn Error>> {
    let issuer =
        TrustedIssuer::trustee(Arc::new(keys)).with_scheme(Scheme::trustee("sample", "default"));
    let verifier = PassportVerifier::builder(&demo::provider())
        .issuer(issuer)
        .build()?;
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        // Leave this out with real hardware: it is what accepts a simulator.
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()?;
    let attested = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(Arc::new(relying_party))
        .build()?;
    Ok(attested)
}

async fn serve(
    authority: &Authority,
    attester: Arc<dyn Attester>,
    app: Router,
) -> Result<String, Box<dyn Error>> {
    let acceptor = ServerAcceptor::new(authority.server()?, ServerTerms::new().attester(attester))?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let port = listener.local_addr().port();
    tokio::spawn(async move { axum::serve(listener, app.into_attested_make_service()).await });
    Ok(format!("https://localhost:{port}"))
}

/// Since the epoch.
fn seconds() -> u64 {
    let now = DefaultTimeProvider.current_time();
    now.map_or(0, |now| now.as_secs())
}

/// The innermost reason.
fn told(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
