//! A connection as the pool of a client has it.

use std::io;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::task::Context;
use std::task::Poll;

use atls_tower::AttestedHttps;
use atls_tower::AttestedIo;
use atls_tower::AttestedStream;
use atls_tower::RetireLayer;
use axum::Router;
use end_to_end::Gate;
use end_to_end::World;
use end_to_end::time::settle;
use futures_util::FutureExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tower::Layer;
use tower::Service;
use tower::ServiceExt;

use crate::support::DRAINED;
use crate::support::MINUTE;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::connector;
use crate::support::pass;
use crate::support::serve;
use crate::support::uri;

#[tokio::test]
async fn an_answer_arrives_in_the_time_of_grace_and_not_without() {
    for alpn in ["h2", "http/1.1"] {
        let world = World::new();
        let with_grace = AttestedHttps::new(connector(&world, alpn));
        let without = with_grace.clone().without_grace();
        for (https, arrives) in [(with_grace, true), (without, false)] {
            let gate = Gate::new();
            let slow = gate.clone();
            let app = Router::new().fallback(async move || slow.pass().await);
            let address = serve(acceptor(&world, attested(&world)), app).await;
            let client: Client<_, Empty<Bytes>> =
                Client::builder(TokioExecutor::new()).build(https);
            let asking = tokio::spawn(client.get(uri(address)));
            gate.reached_by(1).await;
            pass(&world, MINUTE).await;
            settle().await;
            gate.open();
            assert_eq!(asking.await.unwrap().is_ok(), arrives, "{alpn}");
        }
    }
}

/// It is not one that the pool made and never used.
#[tokio::test]
async fn a_connection_that_was_written_to_goes_on_for_its_reader_while_it_drains() {
    for vectored in [false, true] {
        let world = World::new();
        let (mut client, _server) = ends(&world).await;
        let written = match vectored {
            true => client.write_vectored(&[IoSlice::new(b"GET ")]).await,
            false => client.write(b"GET ").await,
        };
        assert_eq!(written.unwrap(), 4);
        pass(&world, DRAINED).await;
        assert!(client.read(&mut [0]).now_or_never().is_none());
    }
}

#[tokio::test]
async fn a_connection_is_closed_with_a_goodbye() {
    let world = World::new();
    let (mut client, mut server) = ends(&world).await;
    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_flush_waits_for_what_the_server_has_not_taken() {
    let world = World::new();
    let (mut client, _server) = ends(&world).await;
    let mut refused = 0;
    while refused < 1000 {
        match client.write(&[0; 16 * 1024]).now_or_never() {
            Some(written) => refused = written.map(|_| 0).unwrap(),
            None => refused += 1,
        }
        tokio::task::yield_now().await;
    }
    for _ in 0..1000 {
        assert!(client.flush().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nothing_is_ready_before_what_it_stands_on() {
    let world = World::new();
    let mut https = AttestedHttps::over(NeverReady, connector(&world, "h2"));
    assert!(https.ready().now_or_never().is_none());
    let mut client = RetireLayer::new().layer(NeverReady);
    let ready = ServiceExt::<http::Request<()>>::ready(&mut client);
    assert!(ready.now_or_never().is_none());
}

#[derive(Clone)]
struct NeverReady;

impl<R> Service<R> for NeverReady {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = std::future::Pending<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn call(&mut self, _: R) -> Self::Future {
        std::future::pending()
    }
}

type ClientEnd = TokioIo<AttestedIo<TokioIo<TcpStream>>>;

/// A connection of which HTTP has not begun.
async fn ends(world: &World) -> (ClientEnd, AttestedStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let acceptor = acceptor(world, attested(world));
    let mut https = AttestedHttps::new(connector(world, "http/1.1"));
    let accepting = async {
        let (socket, _) = listener.accept().await.unwrap();
        acceptor.accept(socket).await.unwrap()
    };
    let (client, server) = tokio::join!(https.call(uri(address)), accepting);
    (TokioIo::new(client.unwrap()), server)
}
