//! Connections drain while their attestation is still valid, so no request meets an expired one.

use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_tower::ServerAttestation;
use axum::Router;
use axum::routing::get;
use end_to_end::World;
use http_body_util::BodyExt;

use crate::support::DRAINED;
use crate::support::HyperClient;
use crate::support::acceptor;
use crate::support::hyper_client;
use crate::support::mutual;
use crate::support::pass;
use crate::support::serve;
use crate::support::uri;

/// Requests that cross with the server's goodbye still go the old way.
const AT_MOST: usize = 100;

#[tokio::test]
async fn an_http_2_client_attests_anew_before_its_attestation_ends() {
    moves_without_a_refusal("h2").await;
}

#[tokio::test]
async fn an_http_1_client_attests_anew_before_its_attestation_ends() {
    moves_without_a_refusal("http/1.1").await;
}

async fn moves_without_a_refusal(alpn: &str) {
    let world = World::new();
    let app = Router::new().route("/", get(async || "hello"));
    let address = serve(acceptor(&world, mutual(&world)), app).await;
    let client = hyper_client(&world, alpn);
    let first = ask(&client, address).await;
    assert!(Arc::ptr_eq(&first, &ask(&client, address).await));
    pass(&world, DRAINED).await;
    for _ in 0..AT_MOST {
        let now = ask(&client, address).await;
        if !Arc::ptr_eq(&first, &now) {
            assert!(now.expires_at() > first.expires_at());
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the client is still on the draining connection");
}

/// The attestation of the server that answered. The answer is never a refusal.
async fn ask(client: &HyperClient, address: std::net::SocketAddr) -> Arc<PeerAttestation> {
    let uri = uri(address);
    let response = client.get(uri.clone()).await.unwrap();
    assert_eq!(response.status(), 200);
    let peer = ServerAttestation::of(response.extensions(), &uri).unwrap();
    let peer = peer.clone();
    response.into_body().collect().await.unwrap();
    peer
}
