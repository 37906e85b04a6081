//! The attestation of a response, and clients that share a configuration.

use std::sync::Arc;

use atls_reqwest::ClientBuilderExt;
use atls_reqwest::LookupError;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_reqwest::reqwest::ResponseBuilderExt;
use atls_reqwest::rustls;
use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::refusal;
use end_to_end::reqwest_client;

#[tokio::test]
async fn a_response_of_another_client_has_no_attestation() {
    let world = World::new();
    let server = world.serve_attested().await;
    let (ours, other) = (world.demanding(), world.demanding());
    let response = reqwest_client(&ours)
        .get(server.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        response.attestation(&other).unwrap_err(),
        LookupError::Unknown
    );
    let plain = world
        .plain_client(&["h2"])
        .get(server.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(plain.attestation(&ours).unwrap_err(), LookupError::Unknown);
}

/// As where a proxy's connection ends, and its addresses are used again for another server.
#[tokio::test]
async fn a_response_of_another_server_over_the_same_addresses_has_no_attestation() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let genuine = reqwest_client(&attested).get(server.url("/")).send().await;
    let genuine = genuine.unwrap();
    assert!(genuine.attestation(&attested).is_ok());
    for (url, known) in [
        (server.url("/other"), true),
        ("https://other.example/".to_owned(), false),
    ] {
        let mut same = http::Response::builder()
            .url(url.parse().unwrap())
            .body("")
            .unwrap();
        same.extensions_mut().extend(genuine.extensions().clone());
        let same = reqwest::Response::from(same);
        assert_eq!(same.attestation(&attested).is_ok(), known, "{url}");
    }
}

#[tokio::test]
async fn settings_made_afterwards_break_the_client_and_never_open_it() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    // Another TLS configuration: nothing is observed of it.
    let client = reqwest::Client::builder()
        .attested(&attested)
        .tls_backend_preconfigured(world.client_tls(&["h2"]))
        .build()
        .unwrap();
    assert!(refusal(&client.get(server.url("/")).send().await.unwrap_err()).is_not_tls());
    // Another HTTP version than was agreed.
    let client = reqwest::Client::builder()
        .attested(&attested)
        .http1_only()
        .build()
        .unwrap();
    let response = client.get(server.url("/")).send().await;
    if let Ok(response) = response {
        assert!(
            response.attestation(&attested).is_ok(),
            "it went over an attested connection"
        );
    }
}

#[tokio::test]
async fn one_configuration_serves_several_clients() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    for _ in 0..2 {
        let client = reqwest_client(&attested.clone());
        let response = client.get(server.url("/")).send().await.unwrap();
        assert!(response.attestation(&attested).is_ok());
    }
}

#[test]
fn the_blocking_client_is_attested_too() {
    let world = World::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(world.serve_attested());
    let unattested = runtime.block_on(world.serve(ServerTerms::plain()));
    let attested = world.demanding();
    let client = reqwest::blocking::Client::builder()
        .attested(&attested)
        .build()
        .unwrap();
    let response = client.get(server.url("/")).send().unwrap();
    assert!(response.attestation(&attested).is_ok());
    assert_eq!(response.text().unwrap(), "hello");
    let error = client.get(unattested.url("/")).send().unwrap_err();
    assert!(exchange_error(&error).is_peer_unattested());
}

#[tokio::test]
async fn a_client_with_a_tls_certificate_attests_under_its_key() {
    let world = World::new();
    let roots = Arc::new(world.authority.roots().unwrap());
    let clients =
        rustls::server::WebPkiClientVerifier::builder_with_provider(roots, demo::provider());
    let mut tls = rustls::ServerConfig::builder_with_details(demo::provider(), world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server: Served = world
        .serve_with(terms.require_peer(world.about_clients()), tls)
        .await;
    let certificate = end_to_end::load(&world.authority.issue_client().unwrap());
    let resolver = rustls::sign::SingleCertAndKey::from(certificate);
    let builder = world.client().require_peer(world.about_servers());
    let attested = builder
        .attester(world.client_device.clone())
        .client_certificate(Arc::new(resolver))
        .build()
        .unwrap();
    let response = reqwest_client(&attested)
        .get(server.url("/peer"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), "affirming");
    // Without the certificate TLS itself refuses.
    let refused = reqwest_client(&world.mutual())
        .get(server.url("/"))
        .send()
        .await;
    assert!(refused.is_err());
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn nothing_of_a_connection_is_printed() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let client = reqwest_client(&attested);
    client.get(server.url("/")).send().await.unwrap();
    let printed = format!("{attested:?} {client:?}");
    assert!(!printed.contains("secret"), "{printed}");
}
