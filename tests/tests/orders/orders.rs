//! The order in which peers attest.

use atls_core::Binding;
use atls_core::ear::Tier;
use atls_core::exchange::RefusalCode;
use atls_reqwest::LookupError;
use atls_reqwest::ResponseExt;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;

use crate::requests::both;
use crate::requests::get;

#[tokio::test]
async fn the_server_attests() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let response = reqwest_client(&attested)
        .get(server.url("/peer"))
        .send()
        .await
        .unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(
        (peer.status(), peer.binding()),
        (Tier::Affirming, Binding::Connection)
    );
    assert_eq!(response.text().await.unwrap(), "unattested");
}

#[tokio::test]
async fn only_the_client_attests() {
    let world = World::new();
    let server = world
        .serve(ServerTerms::new().require_peer(world.about_clients()))
        .await;
    let attested = world
        .client()
        .attester(world.client_device.clone())
        .dangerous_accept_unattested_servers()
        .build()
        .unwrap();
    let response = reqwest_client(&attested)
        .get(server.url("/peer"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        response.attestation(&attested).unwrap_err(),
        LookupError::Unknown
    );
    assert_eq!(response.text().await.unwrap(), "affirming");
}

#[tokio::test]
async fn both_attest_the_client_last() {
    let world = World::new();
    let server = world.serve(both(&world)).await;
    let attested = world.mutual();
    assert_eq!(get(&attested, &server, "/peer").await.unwrap(), "affirming");
}

#[tokio::test]
async fn both_attest_the_client_first() {
    let world = World::new();
    let server = world.serve(both(&world).client_first()).await;
    let builder = world.client().require_peer(world.about_servers());
    let attested = builder
        .attester(world.client_device.clone())
        .attest_before_server()
        .build()
        .unwrap();
    assert_eq!(get(&attested, &server, "/peer").await.unwrap(), "affirming");
    // Consent to be first does no harm where the server does not insist.
    let server = world.serve(both(&world)).await;
    assert_eq!(get(&attested, &server, "/peer").await.unwrap(), "affirming");
}

#[tokio::test]
async fn orders_that_cannot_both_be_had_are_refused_at_once() {
    let world = World::new();
    let server = world.serve(both(&world).client_first()).await;
    let error = get(&world.mutual(), &server, "/").await.unwrap_err();
    assert_eq!(
        exchange_error(&error).refused_by_peer(),
        Some(RefusalCode::Incompatible)
    );
    assert_eq!(server.hits(), 0);
}
