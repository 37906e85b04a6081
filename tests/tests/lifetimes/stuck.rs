//! Connections of which nobody reads, because what they brought is not taken further: they end in time all the same.

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_tower::AttestedStream;
use atls_tower::ConnectionLimits;
use atls_tower::Lifetime;
use atls_tower::ServerAcceptor;
use axum::Router;
use axum::extract::Request;
use axum::routing::post;
use end_to_end::Gate;
use end_to_end::World;
use futures_util::FutureExt;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::hostile::attested_client;
use crate::support::ENDED;
use crate::support::MINUTE;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::connector;
use crate::support::mutual;
use crate::support::pass;
use crate::support::serve;
use crate::support::wait;

const WITHIN: Duration = Duration::from_secs(20);

/// For what should end at once; a failed test waits no longer.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_request_whose_body_nobody_reads_is_cut_when_the_attestation_has_ended() {
    let world = World::new();
    let mut scene = Scene::new(&world).await;
    pass(&world, ENDED).await;
    scene.is_cut().await;
}

#[tokio::test]
async fn a_request_whose_body_nobody_reads_is_cut_in_the_time_of_a_recall() {
    let world = World::new();
    let mut scene = Scene::new(&world).await;
    scene.acceptor.recall(WITHIN);
    pass(&world, WITHIN).await;
    scene.is_cut().await;
}

#[tokio::test]
async fn the_end_of_a_connection_is_told_to_who_neither_reads_nor_writes() {
    let world = World::new();
    let (lifetime, _streams) = idle(&world).await;
    wait(MINUTE).await;
    assert!(lifetime.ended().now_or_never().is_none());
    wait(ENDED - MINUTE).await;
    assert!(lifetime.ended().now_or_never().is_some());
}

#[tokio::test]
async fn an_end_that_comes_nearer_is_told_to_who_waits_for_it() {
    let world = World::new();
    let (lifetime, streams) = idle(&world).await;
    let waiting = tokio::spawn(async move { lifetime.ended().await });
    tokio::task::yield_now().await;
    streams.acceptor.recall(Duration::MAX);
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    streams.acceptor.recall(WITHIN);
    wait(WITHIN).await;
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_place_of_a_connection_is_taken_for_as_long_as_its_stream_lives() {
    let world = World::new();
    let (_lifetime, streams) = idle(&world).await;
    let place = Arc::new(());
    let [client, _server] = streams.ends;
    let client = client.with_guard(place.clone());
    assert_eq!(Arc::strong_count(&place), 2);
    drop(client);
    assert_eq!(Arc::strong_count(&place), 1);
}

#[tokio::test]
async fn nothing_is_read_or_written_from_the_end_on_in_any_way() {
    let world = World::new();
    let (_lifetime, mut streams) = idle(&world).await;
    wait(ENDED).await;
    let [client, _server] = &mut streams.ends;
    assert!(client.read(&mut [0]).await.is_err());
    assert!(client.write(b"late").await.is_err());
    let late = IoSlice::new(b"late");
    assert!(client.write_vectored(&[late]).await.is_err());
}

/// A client, with no end of its own, whose request of HTTP/1.1 has a body that the handler leaves lying.
struct Scene {
    acceptor: ServerAcceptor,
    link: Link,
}

impl Scene {
    async fn new(world: &World) -> Self {
        let gate = Gate::new();
        let slow = gate.clone();
        let handler = async move |request: Request| {
            slow.pass().await;
            drop(request);
        };
        let acceptor = acceptor(world, mutual(world));
        let app = Router::new().route("/", post(handler));
        let address = serve(acceptor.clone(), app).await;
        let mut link = attested_client(world, address, "http/1.1").await;
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n";
        link.tls.write_all(head.as_bytes()).await.unwrap();
        gate.reached_by(1).await;
        fill(&mut link.tls).await;
        Self { acceptor, link }
    }

    async fn is_cut(&mut self) {
        let read = self.link.tls.read_u8();
        let read = tokio::time::timeout(PATIENCE, read).await;
        assert!(read.unwrap().is_err());
    }
}

/// Writes until the other end has taken nothing for long.
async fn fill(to: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let bytes = [0; 16 * 1024];
    let mut idle = 0;
    while idle < 10_000 {
        match to.write(&bytes).now_or_never() {
            Some(written) => idle = written.map(|_| 0).unwrap(),
            None => idle += 1,
        }
        tokio::task::yield_now().await;
    }
}

/// Both ends of a connection.
struct Streams {
    acceptor: ServerAcceptor,
    ends: [AttestedStream<TcpStream>; 2],
}

/// The lifetime of a server's connection that lasts for a minute.
async fn idle(world: &World) -> (Lifetime, Streams) {
    let acceptor = acceptor(world, attested(world));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connecting = async {
        let socket = TcpStream::connect(address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        connector(world, "http/1.1").connect(name, socket).await
    };
    let accepting = async {
        let (socket, _) = listener.accept().await.unwrap();
        acceptor.accept(socket).await
    };
    let (client, server) = tokio::join!(connecting, accepting);
    let server = server.unwrap().with_limits(ConnectionLimits::default(), ());
    let lifetime = server.lifetime();
    let ends = [client.unwrap(), server];
    (lifetime, Streams { acceptor, ends })
}
