//! Connections in a pool, in the background, and their deadlines.

use std::sync::Arc;

use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::reqwest_client;

use crate::clients::configured;

#[tokio::test]
async fn every_response_of_a_burst_has_its_connections_attestation() {
    for http in [Http::Two, Http::One, Http::Auto] {
        let world = World::new();
        let server = world.serve_attested().await;
        let attested = configured(&world, http);
        let client = reqwest_client(&attested);
        let requests: Vec<_> = (0..20)
            .map(|_| tokio::spawn(client.get(server.url("/")).send()))
            .collect();
        for request in requests {
            let response = request.await.unwrap().unwrap();
            assert!(response.attestation(&attested).is_ok(), "{http:?}");
        }
        assert_eq!(server.hits(), 20);
    }
}

#[tokio::test]
async fn a_burst_over_http_2_attests_once() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let client = reqwest_client(&world.demanding());
    let requests: Vec<_> = (0..20)
        .map(|_| tokio::spawn(client.get(server.url("/")).send()))
        .collect();
    gate.reached_by(1).await;
    gate.open();
    for request in requests {
        assert!(request.await.unwrap().is_ok());
    }
    assert_eq!(gate.waiting(), 0, "a second connection was attested");
}

#[tokio::test]
async fn a_connect_that_finishes_in_the_background_is_attested_too() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let attested = configured(&world, Http::One);
    let client = reqwest_client(&attested);
    let first = tokio::spawn(client.get(server.url("/")).send());
    gate.reached_by(1).await;
    let second = tokio::spawn(client.get(server.url("/")).send());
    gate.reached_by(1).await;
    gate.open();
    for response in [first, second] {
        let response = response.await.unwrap().unwrap();
        assert!(response.attestation(&attested).is_ok());
        response.text().await.unwrap();
    }
    let third = client.get(server.url("/")).send().await.unwrap();
    assert!(third.attestation(&attested).is_ok());
}
