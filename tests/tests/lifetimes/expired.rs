//! When an attestation ends, its connection is drained, and the next request attests anew.

use std::time::Duration;

use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_tower::ServerTerms;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::reqwest_client;

use crate::support::pass;

const AGE: Duration = Duration::from_secs(3600);

/// Requests under way while the server says goodbye may still go the old way; there are few of those.
const AT_MOST: usize = 100;

async fn moves_to_a_fresh_connection(world: &World, server: &Served, http: Http) {
    let builder = world.client().require_peer(world.about_servers());
    let attested = builder.http(http).build().unwrap();
    let client = reqwest_client(&attested);
    let first = client.get(server.url("/")).send().await.unwrap();
    assert!(first.attestation(&attested).is_ok());
    first.text().await.unwrap();
    pass(world, AGE).await;
    for _ in 0..AT_MOST {
        let response = client.get(server.url("/")).send().await.unwrap();
        let fresh = response.attestation(&attested).is_ok();
        response.text().await.unwrap();
        if fresh {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the client is still on the expired connection");
}

#[tokio::test]
async fn a_reqwest_client_moves_on_when_the_servers_attestation_ends_over_http_2() {
    let world = World::new();
    let server = world.serve_attested().await;
    moves_to_a_fresh_connection(&world, &server, Http::Two).await;
}

#[tokio::test]
async fn a_reqwest_client_moves_on_when_the_servers_attestation_ends_over_http_1() {
    let world = World::new();
    let server = world.serve_attested().await;
    moves_to_a_fresh_connection(&world, &server, Http::One).await;
}

#[tokio::test]
async fn a_mutually_attested_http_2_client_is_served_again_after_expiry() {
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    let server = world.serve(terms).await;
    let attested = world.mutual();
    let client = reqwest_client(&attested);
    let first = client.get(server.url("/attested")).send().await.unwrap();
    assert_eq!(first.status(), 200);
    pass(&world, AGE).await;
    for _ in 0..AT_MOST {
        let response = client.get(server.url("/attested")).send().await.unwrap();
        if response.status() == 200 {
            assert!(response.attestation(&attested).is_ok());
            return;
        }
        assert_eq!(response.status(), 421);
        tokio::task::yield_now().await;
    }
    panic!("the client is still refused");
}
