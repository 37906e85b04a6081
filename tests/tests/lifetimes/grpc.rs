//! gRPC by tonic: calls move to a new connection, and a stream that stays is cut with an error.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_tower::AttestedHttps;
use atls_tower::was_not_sent;
use axum::extract::Request;
use axum::extract::State;
use axum::middleware::Next;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use end_to_end::World;
use tonic::Code;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::HealthReporter;

use crate::support::DRAINED;
use crate::support::ENDED;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::connector;
use crate::support::pass;
use crate::support::serve;

#[tokio::test]
async fn calls_go_on_over_a_new_connection_while_a_stream_is_on_the_old_one() {
    let world = World::new();
    let (_reporter, address) = healthy(&world).await;
    let connections = Arc::new(AtomicUsize::new(0));
    let mut client = client(&world, address, connections.clone()).await;
    let watching = client.watch(HealthCheckRequest::default()).await.unwrap();
    let mut watching = watching.into_inner();
    assert!(watching.message().await.unwrap().is_some());
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    pass(&world, DRAINED).await;
    while connections.load(Ordering::SeqCst) < 2 {
        // A call that crosses with the goodbye goes the old way, or ends before it was sent: tonic does not send it anew by itself.
        if let Err(status) = client.check(HealthCheckRequest::default()).await {
            assert_eq!(status.code(), Code::Cancelled, "{status}");
            assert!(was_not_sent(&status));
        }
        tokio::task::yield_now().await;
    }
    let reading = tokio::spawn(async move { watching.message().await });
    tokio::task::yield_now().await;
    assert!(!reading.is_finished(), "it has until the end");
    pass(&world, ENDED - DRAINED).await;
    reading.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_stream_that_stays_is_cut_with_an_error_and_never_ended_properly() {
    let world = World::new();
    let (reporter, address) = healthy(&world).await;
    let mut client = client(&world, address, Arc::default()).await;
    let watching = client.watch(HealthCheckRequest::default()).await.unwrap();
    let mut watching = watching.into_inner();
    assert!(watching.message().await.unwrap().is_some());
    pass(&world, ENDED).await;
    let cut = watching.message().await.unwrap_err();
    assert_ne!(cut.code(), Code::Ok);
    drop(reporter);
}

#[tokio::test]
async fn every_call_is_handled_once_where_those_that_were_not_sent_are_made_again() {
    let world = World::new();
    let handled = Arc::new(AtomicUsize::new(0));
    let (_reporter, health) = tonic_health::server::health_reporter();
    let app = Routes::new(health).into_axum_router();
    let app = app.layer(from_fn_with_state(handled.clone(), count));
    let address = serve(acceptor(&world, attested(&world)), app).await;
    let connections = Arc::new(AtomicUsize::new(0));
    let mut client = client(&world, address, connections.clone()).await;
    client.check(HealthCheckRequest::default()).await.unwrap();
    let callers = (0..CALLERS).map(|_| {
        let (mut client, connections) = (client.clone(), connections.clone());
        tokio::spawn(async move {
            let mut answered = 0;
            while connections.load(Ordering::SeqCst) < 2 {
                while let Err(status) = client.check(HealthCheckRequest::default()).await {
                    assert!(was_not_sent(&status), "{status:?}");
                }
                answered += 1;
            }
            answered
        })
    });
    let callers: Vec<_> = callers.collect();
    pass(&world, DRAINED).await;
    let mut answered = 1;
    for caller in callers {
        answered += caller.await.unwrap();
    }
    assert!(answered > 1);
    assert_eq!(handled.load(Ordering::SeqCst), answered);
}

async fn count(State(handled): State<Arc<AtomicUsize>>, request: Request, next: Next) -> Response {
    handled.fetch_add(1, Ordering::SeqCst);
    next.run(request).await
}

/// Fewer than a server takes of one connection at a time.
const CALLERS: usize = 50;

/// A server whose health can be watched, for as long as the reporter lives.
async fn healthy(world: &World) -> (HealthReporter, SocketAddr) {
    let (reporter, health) = tonic_health::server::health_reporter();
    let app = Routes::new(health).into_axum_router();
    let address = serve(acceptor(world, attested(world)), app).await;
    (reporter, address)
}

/// Counts its connections.
pub(crate) async fn client(
    world: &World,
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
) -> HealthClient<Channel> {
    let https = AttestedHttps::new(connector(world, "h2"))
        .also_for_http_uris()
        .on_connected(
            move |_: &http::Uri, _: Option<&Arc<atls_core::PeerAttestation>>| {
                connections.fetch_add(1, Ordering::SeqCst);
            },
        );
    let url = format!("http://localhost:{}", address.port());
    let endpoint = Endpoint::from_shared(url).unwrap();
    HealthClient::new(endpoint.connect_with_connector(https).await.unwrap())
}
