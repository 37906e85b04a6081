//! Connections of a server that stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_axum::AttestedListener;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::World;
use end_to_end::time::wait_settled;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::scene::LIMIT;
use crate::scene::LONG;
use crate::scene::app;
use crate::scene::closed;
use crate::scene::ended;
use crate::scene::read_until;
use crate::scene::say;

struct Server {
    world: World,
    address: SocketAddr,
    slow: Gate,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    async fn with_shutdown_deadline(deadline: Duration) -> Self {
        let world = World::new();
        let acceptor = ServerAcceptor::new(world.server_tls(), ServerTerms::plain()).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let listener = AttestedListener::builder(acceptor).over(socket).unwrap();
        let slow = Gate::new();
        let app = app(slow.clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            atls_axum::serve(listener, app)
                .with_graceful_shutdown(async { drop(stopped.await) })
                .with_shutdown_deadline(deadline)
                .await
        });
        Self {
            world,
            address,
            slow,
            stop,
            task,
        }
    }

    async fn connect(&self, alpn: &[&str]) -> Link {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let tls = Arc::new(self.world.client_tls(alpn));
        Link::connect(tls, socket, None).await.unwrap()
    }

    /// With an answer behind it: the server has taken the connection over.
    async fn asked(&self, alpn: &[&str]) -> Link {
        let mut link = self.connect(alpn).await;
        say(&mut link, GET).await;
        read_until(&mut link, b"hello").await;
        link
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const GET_SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn idle_connections_are_closed_at_once() {
    let server = Server::with_shutdown_deadline(LONG).await;
    let mut idle = [
        server.asked(&["http/1.1"]).await,
        server.asked(&[]).await,
        server.connect(&["http/1.1"]).await,
        server.connect(&[]).await,
        server.connect(&["h2"]).await,
    ];
    drop(server.stop);
    for link in &mut idle {
        closed(link).await;
    }
    ended(server.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_under_way_is_answered_and_its_connection_closed() {
    let server = Server::with_shutdown_deadline(LONG).await;
    let mut link = server.connect(&["http/1.1"]).await;
    say(&mut link, GET_SLOW).await;
    server.slow.reached_by(1).await;
    drop(server.stop);
    server.slow.open();
    assert!(closed(&mut link).await.ends_with(b"at last"));
    ended(server.task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_takes_longer_than_the_shutdown_may_is_cut() {
    let server = Server::with_shutdown_deadline(LIMIT).await;
    let mut link = server.connect(&["http/1.1"]).await;
    say(&mut link, GET_SLOW).await;
    server.slow.reached_by(1).await;
    drop(server.stop);
    wait_settled(LIMIT).await;
    assert_eq!(closed(&mut link).await, b"");
    ended(server.task).await.unwrap().unwrap();
}
