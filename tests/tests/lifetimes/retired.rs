//! A client sends no new request on a connection that drains, though its server never says goodbye.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_tower::RetireLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerAttestation;
use end_to_end::Gate;
use end_to_end::World;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::Full;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tower::Layer;
use tower::Service;
use tower::ServiceExt;

use crate::support::DRAINED;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::hyper_client;
use crate::support::pass;
use crate::support::uri;

#[tokio::test]
async fn the_next_request_goes_on_a_new_connection_over_http_2() {
    moves("h2").await;
}

#[tokio::test]
async fn the_next_request_goes_on_a_new_connection_over_http_1() {
    moves("http/1.1").await;
}

#[tokio::test]
async fn a_request_under_way_is_finished_on_the_old_connection() {
    let world = World::new();
    let gate = Gate::new();
    let address = rude_server(acceptor(&world, attested(&world)), gate.clone()).await;
    let mut client = RetireLayer::new().layer(hyper_client(&world, "h2"));
    let request = Request::get(uri(address)).body(Empty::new()).unwrap();
    let under_way = tokio::spawn(client.ready().await.unwrap().call(request));
    gate.reached_by(1).await;
    pass(&world, DRAINED).await;
    gate.open();
    let old = under_way.await.unwrap().unwrap();
    let old = ServerAttestation::of(old.extensions(), &uri(address)).cloned();
    let new = ask(&mut client, address).await;
    assert!(!Arc::ptr_eq(&old.unwrap(), &new));
}

async fn moves(alpn: &str) {
    let world = World::new();
    let gate = Gate::new();
    gate.open();
    let address = rude_server(acceptor(&world, attested(&world)), gate).await;
    let mut client = RetireLayer::new().layer(hyper_client(&world, alpn));
    let first = ask(&mut client, address).await;
    assert!(Arc::ptr_eq(&first, &ask(&mut client, address).await));
    pass(&world, DRAINED).await;
    // The task of the connection runs before this one goes on.
    tokio::task::yield_now().await;
    assert!(!Arc::ptr_eq(&first, &ask(&mut client, address).await));
}

async fn ask<C>(client: &mut C, address: SocketAddr) -> Arc<PeerAttestation>
where
    C: Service<Request<Empty<Bytes>>, Response = Response<Incoming>>,
    C::Error: std::fmt::Debug,
{
    let request = Request::get(uri(address)).body(Empty::new()).unwrap();
    let response = client.ready().await.unwrap().call(request).await.unwrap();
    let peer = ServerAttestation::of(response.extensions(), &uri(address)).cloned();
    response.into_body().collect().await.unwrap();
    peer.unwrap()
}

/// Attests, and goes on to answer on each connection as long as it can.
async fn rude_server(acceptor: ServerAcceptor, gate: Gate) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, gate) = (acceptor.clone(), gate.clone());
            tokio::spawn(async move {
                let stream = acceptor.accept(socket).await.unwrap();
                let answer = hyper::service::service_fn(move |_: Request<Incoming>| {
                    let gate = gate.clone();
                    async move {
                        gate.pass().await;
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello"))))
                    }
                });
                let http = auto::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    address
}
