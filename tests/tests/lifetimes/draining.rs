//! Connections drain while their attestation is still valid, so no request meets an expired one.

use std::sync::Arc;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_tower::AttestedStream;
use atls_tower::ServerAcceptor;
use atls_tower::ServerAttestation;
use axum::Router;
use axum::routing::get;
use end_to_end::World;
use end_to_end::time::settle;
use end_to_end::time::until;
use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::DRAINED;
use crate::support::HyperClient;
use crate::support::MINUTE;
use crate::support::acceptor;
use crate::support::connector;
use crate::support::hyper_client;
use crate::support::mutual;
use crate::support::pass;
use crate::support::serve;
use crate::support::uri;

/// Requests that cross with the server's goodbye still go the old way.
const AT_MOST: usize = 100;

const WITHIN: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_http_2_client_attests_anew_before_its_attestation_ends() {
    moves_without_a_refusal("h2").await;
}

#[tokio::test]
async fn an_http_1_client_attests_anew_before_its_attestation_ends() {
    moves_without_a_refusal("http/1.1").await;
}

#[tokio::test]
async fn an_idle_http_1_connection_is_closed_properly_when_its_attestation_expires() {
    let world = World::new();
    let mut stream = idle_over_http_1(&world, acceptor(&world, mutual(&world))).await;
    let waiting = tokio::spawn(async move { stream.read(&mut [0; 1]).await });
    pass(&world, DRAINED).await;
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished(), "it still has time to ask");
    pass(&world, MINUTE - DRAINED).await;
    assert_eq!(waiting.await.unwrap().unwrap(), 0);
}

/// It could ask in the first half of the time, and would have been told with the answer.
#[tokio::test]
async fn an_idle_http_1_connection_is_closed_halfway_through_the_time_of_a_recall() {
    let world = World::new();
    let acceptor = acceptor(&world, mutual(&world));
    let mut stream = idle_over_http_1(&world, acceptor.clone()).await;
    acceptor.recall(WITHIN);
    let waiting = tokio::spawn(async move { stream.read(&mut [0; 1]).await });
    settle().await;
    pass(&world, WITHIN / 2 - SECOND).await;
    settle().await;
    assert!(!waiting.is_finished(), "it still has time to ask");
    pass(&world, SECOND).await;
    until("it is closed", || waiting.is_finished()).await;
    assert_eq!(waiting.await.unwrap().unwrap(), 0);
}

/// A connection on which one request was answered.
async fn idle_over_http_1(world: &World, acceptor: ServerAcceptor) -> AttestedStream<TcpStream> {
    let app = Router::new().route("/", get(async || "hello"));
    let address = serve(acceptor, app).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let connector = connector(world, "http/1.1");
    let mut stream = connector.connect(name, socket).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        answer.push(stream.read_u8().await.unwrap());
    }
    stream
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
