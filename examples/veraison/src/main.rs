//! A client whose background check is made by Veraison: the server's Evidence goes there, a signed result comes back.
//!
//! ```text
//! ATLS_VERAISON=$(tests/interop/install) cargo run -p veraison
//! cargo run -p veraison -- --url https://veraison.example --key key.jwk --ca ca.pem [--provisioning http://…]
//! ```
//!
//! The server's device is simulated. An Endorser has to tell Veraison about it, as the maker of a real device does; with
//! `--provisioning`, this program does.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_axum::RouterExt;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::ear::VerificationKeys;
use atls_remote::Endpoint;
use atls_remote::RemoteVerifier;
use atls_remote::ReqwestClient;
use atls_remote::Resilient;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_sim::Profile;
use atls_sim::SimAttester;
use atls_sim::SoftwareComponent;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_veraison::PsaToken;
use atls_veraison::VeraisonService;
use axum::Router;
use axum::routing::get;
use demo::Authority;
use rustls::RootCertStore;

#[tokio::main]
async fn main() -> ExitCode {
    demo::program(USAGE, arguments, run).await
}

async fn run(arguments: BTreeMap<String, String>) -> Result<(), Box<dyn Error>> {
    let device = SimAttester::generate()?.with_profile(Profile::Predecessor);

    // Which Veraison? The services of this machine, unless one is given.
    let own = if arguments.is_empty() {
        let started = interop::Veraison::start();
        Some(started.ok_or("give --url and --key, or name Veraison's services in ATLS_VERAISON")?)
    } else {
        None
    };
    let (service, keys) = match &own {
        Some(own) => {
            let http = Arc::new(interop::http());
            (
                own.service_over(http),
                VerificationKeys::from_jwk(&own.key)?,
            )
        }
        None => given(&arguments)?,
    };
    let provisioning = own.as_ref().map(interop::Veraison::provisioning_url);
    if let Some(origin) = provisioning.or_else(|| arguments.get("--provisioning").cloned()) {
        let software = [SoftwareComponent::new("ARoT", SimAttester::SOFTWARE)];
        let corim = interop::corim_of(&device.trust_anchor(), &software);
        interop::provision(&origin, &corim, interop::PROFILE).await;
    }

    // The one line that differs from any other verifier: who appraises.
    let verifier = RemoteVerifier::builder(service, Arc::new(keys), &demo::provider())
        .format(PsaToken::any_profile())
        .build()?;
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()?;

    let authority = Authority::new()?;
    let terms = ServerTerms::new().attester(Arc::new(device));
    let acceptor = ServerAcceptor::new(authority.server()?, terms)?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let port = listener.local_addr().port();
    let app = Router::new().route("/", get(async || "hello"));
    tokio::spawn(async move { axum::serve(listener, app.into_attested_make_service()).await });

    let attested = Attested::builder(demo::provider())
        .roots(authority.roots()?)
        .require_peer(Arc::new(relying_party))
        .build()?;
    let client = reqwest::Client::builder().attested(&attested).build()?;
    let response = client
        .get(format!("https://localhost:{port}/"))
        .send()
        .await?;
    let peer = response.attestation(&attested)?;
    for item in peer.items() {
        let ear = item.ear();
        println!("{} says {}:", ear.verifier().developer(), ear.status());
        for (part, appraisal) in ear.submods() {
            println!("  {part}: {}", appraisal.status());
        }
    }
    println!("{}", response.text().await?);
    Ok(())
}

/// A Veraison that somebody else runs, and the key that its operator told you.
fn given(
    arguments: &BTreeMap<String, String>,
) -> Result<(VeraisonService, VerificationKeys), Box<dyn Error>> {
    let value = |name: &str| {
        arguments
            .get(name)
            .ok_or_else(|| format!("{name} is missing"))
    };
    let roots = match arguments.get("--ca") {
        Some(file) => demo::roots_of(&fs::read_to_string(file)?)?,
        None => RootCertStore::empty(),
    };
    let tls = rustls::ClientConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let http = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .no_proxy();
    let url = value("--url")?;
    let service = if url.starts_with("http:") {
        let http = ReqwestClient::dangerous_loopback(http)?;
        VeraisonService::new(&Endpoint::dangerous_loopback(url)?, patient(http))?
    } else {
        let http = ReqwestClient::build(http)?;
        VeraisonService::new(&Endpoint::https(url)?, patient(http))?
    };
    let keys = VerificationKeys::from_jwk(&fs::read_to_string(value("--key")?)?)?;
    Ok((service, keys))
}

/// A service that fails or is slow holds up few connections, and is left alone for a while.
fn patient(http: ReqwestClient) -> Arc<Resilient> {
    Arc::new(Resilient::new("veraison", Arc::new(http)))
}

/// `--name value`, each once.
fn arguments(words: &[&str]) -> Option<BTreeMap<String, String>> {
    let known = ["--url", "--key", "--ca", "--provisioning"];
    let (pairs, rest) = words.as_chunks::<2>();
    let mut arguments = BTreeMap::new();
    for [name, value] in pairs {
        let is_first = arguments.insert((*name).to_owned(), (*value).to_owned());
        if !known.contains(name) || is_first.is_some() {
            return None;
        }
    }
    rest.is_empty().then_some(arguments)
}

const USAGE: &str = "\
usage: cargo run -p veraison [-- --url URL --key FILE [--ca FILE] [--provisioning URL]]

A client whose background check is made by Veraison: the Evidence of a server with a simulated
device goes there, and a signed result comes back. Server and client run in this process.

Without arguments Veraison's services are started here; the environment variable ATLS_VERAISON
names the folder that tests/interop/install made of them.

  --url           origin of somebody's Veraison: https, or http on this machine
  --key           file with the key of its results, a JWK
  --ca            file with the authorities of its certificate, in PEM
  --provisioning  origin of its provisioning service, which is told about the simulated device";
