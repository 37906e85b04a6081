//! A client sends no new request on a connection that drains, though its server never says goodbye.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_core::limits::CLOCK_LOOK;
use atls_tower::AttestedHttps;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::RetireLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerAttestation;
use end_to_end::Gate;
use end_to_end::World;
use end_to_end::time::settle;
use end_to_end::time::until;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::Full;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tower::Layer;
use tower::Service;
use tower::ServiceExt;

use crate::support::DRAINED;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::connector;
use crate::support::hyper_client;
use crate::support::pass;
use crate::support::uri;
use crate::support::wait;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn the_next_request_goes_on_a_new_connection_over_http_2() {
    moves("h2").await;
}

#[tokio::test]
async fn the_next_request_goes_on_a_new_connection_over_http_1() {
    moves("http/1.1").await;
}

/// The clock was set forward, or the machine slept. The request that finds it out is on its way already.
#[tokio::test]
async fn a_connection_that_was_found_to_have_expired_by_the_clock_is_retired() {
    for alpn in ["h2", "http/1.1"] {
        let world = World::new();
        let gate = Gate::new();
        gate.open();
        let address = rude_server(acceptor(&world, attested(&world)), gate).await;
        let mut client = RetireLayer::new().layer(hyper_client(&world, alpn));
        let first = ask(&mut client, address).await;
        world.clock.advance(DAY);
        ask(&mut client, address).await;
        tokio::task::yield_now().await;
        assert!(!Arc::ptr_eq(&first, &ask(&mut client, address).await));
    }
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

#[tokio::test]
async fn other_requests_move_while_one_is_under_way_on_the_old_connection() {
    let world = World::new();
    let gate = Gate::new();
    let address = rude_server(acceptor(&world, attested(&world)), gate.clone()).await;
    let client = RetireLayer::new().layer(hyper_client(&world, "h2"));
    let (mut one, mut other) = (client.clone(), client);
    let one = tokio::spawn(async move { ask(&mut one, address).await });
    gate.reached_by(1).await;
    pass(&world, DRAINED).await;
    settle().await;
    let other = tokio::spawn(async move { ask(&mut other, address).await });
    gate.reached_by(1).await;
    gate.open();
    assert!(!Arc::ptr_eq(&one.await.unwrap(), &other.await.unwrap()));
}

#[tokio::test]
async fn a_connection_that_was_idle_when_the_clock_was_set_forward_is_retired_before_it_is_used() {
    for alpn in ["h2", "http/1.1"] {
        let world = World::new();
        let gate = Gate::new();
        gate.open();
        let address = rude_server(acceptor(&world, attested(&world)), gate).await;
        // For longer than it takes to look at the clock.
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let connector = ClientConnector::new(world.client_tls(&[alpn]), terms).unwrap();
        let client = Client::builder(TokioExecutor::new()).build(AttestedHttps::new(connector));
        let mut client = RetireLayer::new().layer(client);
        let first = ask(&mut client, address).await;
        // The connection is idle before the clock is set: it has read all, and its read waits.
        settle().await;
        world.clock.advance(DAY);
        wait(CLOCK_LOOK).await;
        // The tasks of the connection run before this one goes on.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert!(!Arc::ptr_eq(&first, &ask(&mut client, address).await));
    }
}

/// hyper-util sends a request anew where its connection was closed before it left. The connection that takes it is retired like any.
#[tokio::test]
async fn a_connection_that_was_chosen_after_another_had_closed_is_retired_too() {
    let world = World::new();
    let acceptor = acceptor(&world, attested(&world));
    let gate = Gate::new();
    gate.open();
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    let mut client = RetireLayer::new().layer(hyper_client(&world, "http/1.1"));
    let (accepting, first) = (listener.clone(), (acceptor.clone(), gate.clone()));
    let serving = tokio::spawn(async move {
        let (socket, _) = accepting.accept().await.unwrap();
        answer(first.0, socket, first.1).await;
    });
    let old = ask(&mut client, address).await;
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    tokio::spawn(answer_all(listener, acceptor, gate));
    // The client has not seen the end of its connection yet: the pool still gives it.
    let new = ask(&mut client, address).await;
    assert!(!Arc::ptr_eq(&old, &new));
    pass(&world, DRAINED).await;
    tokio::task::yield_now().await;
    assert!(!Arc::ptr_eq(&new, &ask(&mut client, address).await));
}

/// hyper-util makes a connection for a request that gets another one in the end, and keeps it for the next. No request was ever on it.
#[tokio::test]
async fn a_connection_that_was_never_used_gets_no_request_when_it_drains() {
    let world = World::new();
    let acceptor = acceptor(&world, attested(&world));
    let (answers, accepts) = (Gate::new(), Gate::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (first, later) = (answers.clone(), accepts.clone());
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        tokio::spawn(answer(acceptor.clone(), socket, first.clone()));
        later.pass().await;
        answer_all(Arc::new(listener), acceptor, first).await;
    });
    let (connected, mut connections) = mpsc::unbounded_channel();
    let connector = AttestedHttps::new(connector(&world, "http/1.1"));
    let connector = connector.on_connected(move |_, peer| {
        let _ = connected.send(peer.cloned().unwrap());
    });
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let mut client = RetireLayer::new().layer(client);
    let (mut one, mut other) = (client.clone(), client.clone());
    let one = tokio::spawn(async move { ask(&mut one, address).await });
    answers.reached_by(1).await;
    let other = tokio::spawn(async move { ask(&mut other, address).await });
    // It begins to connect.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    answers.open();
    let used = connections.recv().await.unwrap();
    assert!(Arc::ptr_eq(&used, &one.await.unwrap()));
    assert!(Arc::ptr_eq(&used, &other.await.unwrap()));
    accepts.open();
    let unused = connections.recv().await.unwrap();
    // It comes to the pool, and its read waits.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    pass(&world, DRAINED).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let next = ask(&mut client, address).await;
    assert!(!Arc::ptr_eq(&used, &next) && !Arc::ptr_eq(&unused, &next));
    assert!(Arc::ptr_eq(&connections.recv().await.unwrap(), &next));
}

/// Whatever the number of its requests.
#[tokio::test]
async fn one_task_waits_for_a_connection_and_ends_with_it() {
    let world = World::new();
    let gate = Gate::new();
    gate.open();
    let address = rude_server(acceptor(&world, attested(&world)), gate).await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    settle().await;
    let before = tasks();
    let mut client = RetireLayer::new().layer(hyper_client(&world, "http/1.1"));
    ask(&mut client, address).await;
    settle().await;
    let with_one = tasks();
    for _ in 0..10 {
        ask(&mut client, address).await;
    }
    settle().await;
    assert_eq!(tasks(), with_one);
    drop(client);
    until("its tasks have ended", || tasks() == before).await;
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

async fn rude_server(acceptor: ServerAcceptor, gate: Gate) -> SocketAddr {
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(answer_all(listener, acceptor, gate));
    address
}

async fn answer_all(listener: Arc<TcpListener>, acceptor: ServerAcceptor, gate: Gate) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        tokio::spawn(answer(acceptor.clone(), socket, gate.clone()));
    }
}

/// Attests, and goes on to answer on the connection as long as it can.
async fn answer(acceptor: ServerAcceptor, socket: TcpStream, gate: Gate) {
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
}
