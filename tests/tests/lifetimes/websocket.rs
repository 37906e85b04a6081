//! WebSockets over HTTP/1.1 and real sockets: either end learns that it must move, and ends what does not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::ConnectionLifetime;
use atls_core::RelyingParty;
use atls_core::limits::CLOCK_LOOK;
use atls_core::limits::DEFAULT_GRACE;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use axum::Router;
use axum::extract::ws::CloseFrame;
use axum::extract::ws::Message;
use axum::extract::ws::WebSocket;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::close_code;
use axum::response::Response;
use axum::routing::MethodRouter;
use axum::routing::any;
use end_to_end::World;
use futures_util::SinkExt;
use futures_util::StreamExt;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite;

use crate::hostile::attested_client;
use crate::hostile::attested_server;
use crate::support::DRAINED;
use crate::support::ENDED;
use crate::support::about_servers;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::connector;
use crate::support::mutual;
use crate::support::pass;
use crate::support::serve;
use crate::support::wait;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

type Client = WebSocketStream<AttestedStream<TcpStream>>;

#[tokio::test]
async fn a_server_says_restart_in_time_and_its_client_goes_on_over_another_connection() {
    let world = World::new();
    let address = serving(&world, any(moving)).await;
    let mut first = open(&world, address).await;
    assert_eq!(echo(&mut first, "one").await, "one");
    pass(&world, DRAINED).await;
    assert_eq!(told(&mut first).await, close_code::RESTART);
    let mut second = open(&world, address).await;
    assert_eq!(echo(&mut second, "two").await, "two");
    // Make before break: nothing more comes over the first one.
    assert!(!matches!(first.next().await, Some(Ok(_))));
}

/// Its answer is no ordinary one: `Connection: close` in the place of `upgrade` would be none that a client takes.
#[tokio::test]
async fn one_that_is_opened_over_a_connection_that_drains_is_told_at_once() {
    let world = World::new();
    let address = serving(&world, any(moving)).await;
    let mut stream = connect(connector(&world, "http/1.1"), address).await;
    let before = "GET /absent HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(before.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    pass(&world, DRAINED).await;
    let (mut socket, _) = client_async(URL, stream).await.unwrap();
    assert_eq!(told(&mut socket).await, close_code::RESTART);
}

#[tokio::test]
async fn a_client_learns_it_too_and_its_server_hears_it_say_so() {
    let (world, (tell, mut heard)) = (World::new(), mpsc::unbounded_channel());
    let hearing = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |socket| hear(socket, tell).await)
    };
    let address = serving(&world, any(hearing)).await;
    let stream = connect(connector(&world, "http/1.1"), address).await;
    let lifetime = stream.lifetime();
    let (mut socket, _) = client_async(URL, stream).await.unwrap();
    let moving = async {
        tokio::select! {
            _ = socket.next() => panic!("the server says nothing"),
            () = lifetime.draining() => socket.close(Some(restart())).await,
        }
    };
    let (moved, ()) = tokio::join!(moving, pass(&world, DRAINED));
    moved.unwrap();
    assert_eq!(heard.recv().await, Some(Heard::Close(close_code::RESTART)));
}

/// The client has no end of its own.
#[tokio::test]
async fn a_client_that_goes_on_is_cut_by_its_server() {
    let (world, (tell, mut heard)) = (World::new(), mpsc::unbounded_channel());
    let hearing = async move |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async move |socket| hear(socket, tell).await)
    };
    let address = serving(&world, any(hearing)).await;
    let link = attested_client(&world, address, "http/1.1").await;
    let (mut socket, _) = client_async(URL, link.tls).await.unwrap();
    socket.send("before".into()).await.unwrap();
    assert_eq!(heard.recv().await, Some(Heard::Text("before".into())));
    pass(&world, ENDED).await;
    drop(socket.send("after".into()).await);
    assert_eq!(heard.recv().await, Some(Heard::Error));
}

/// The server has no end of its own.
#[tokio::test]
async fn a_server_that_goes_on_is_cut_by_its_client() {
    let world = World::new();
    let (mut client, mut server) = with_endless_server(&world, about_servers(&world)).await;
    server.send("before".into()).await.unwrap();
    let before = client.next().await.unwrap().unwrap();
    assert_eq!(before.into_text().unwrap(), "before");
    pass(&world, ENDED).await;
    server.send("after".into()).await.unwrap();
    client.next().await.unwrap().unwrap_err();
    client.send("after".into()).await.unwrap_err();
}

#[tokio::test]
async fn a_clock_that_is_set_forward_is_told_with_the_next_message() {
    let world = World::new();
    let address = serving(&world, any(moving)).await;
    let mut socket = open(&world, address).await;
    assert_eq!(echo(&mut socket, "one").await, "one");
    world.clock.advance(DAY);
    socket.send("two".into()).await.unwrap();
    assert_eq!(told(&mut socket).await, close_code::RESTART);
}

/// Within less time than the server allows for silence, and than the attestation has left.
#[tokio::test]
async fn a_clock_that_is_set_forward_is_told_though_nobody_says_anything() {
    let world = World::new();
    let terms = attested(&world).require_peer(world.about_clients());
    let address = serving_on(acceptor(&world, terms), any(moving)).await;
    let link = attested_client(&world, address, "http/1.1").await;
    let (mut socket, _) = client_async(URL, link.tls).await.unwrap();
    assert_eq!(echo(&mut socket, "one").await, "one");
    world.clock.advance(DAY);
    wait(CLOCK_LOOK).await;
    assert_eq!(told(&mut socket).await, close_code::RESTART);
}

#[tokio::test]
async fn a_clock_that_is_set_forward_ends_a_client_though_nobody_says_anything() {
    let world = World::new();
    let (mut client, mut server) = with_endless_server(&world, world.about_servers()).await;
    let lifetime = client.get_ref().lifetime();
    let (said, was_said) = tokio::sync::oneshot::channel();
    let reading = tokio::spawn(async move {
        let first = client.next().await;
        said.send(()).unwrap();
        (first, client.next().await)
    });
    tokio::task::yield_now().await;
    world.clock.advance(DAY);
    wait(CLOCK_LOOK).await;
    lifetime.draining().await;
    server.send("in the time of grace".into()).await.unwrap();
    was_said.await.unwrap();
    wait(DEFAULT_GRACE).await;
    // Time goes on now: a read that nobody wakes is not the one that the next look at the clock wakes.
    let reading = tokio::time::timeout(CLOCK_LOOK / 2, reading).await;
    let (first, second) = reading.expect("the read ends").unwrap();
    assert!(first.unwrap().is_ok());
    assert!(second.unwrap().is_err());
}

/// Echoes until its connection drains, as the example does.
async fn moving(upgrade: WebSocketUpgrade, lifetime: ConnectionLifetime) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        tokio::select! {
            () = echoing(&mut socket) => {}
            () = lifetime.draining() => {
                let frame = CloseFrame { code: close_code::RESTART, reason: "".into() };
                socket.send(Message::Close(Some(frame))).await.unwrap();
            }
        }
    })
}

async fn echoing(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Text(_) = &message {
            socket.send(message).await.unwrap();
        }
    }
}

/// Takes no notice of the lifetime.
async fn hear(mut socket: WebSocket, tell: mpsc::UnboundedSender<Heard>) {
    while let Some(message) = socket.recv().await {
        let heard = match message {
            Ok(Message::Text(text)) => Heard::Text(text.to_string()),
            Ok(Message::Close(frame)) => Heard::Close(frame.unwrap().code),
            Ok(_) => continue,
            Err(_) => Heard::Error,
        };
        tell.send(heard).unwrap();
    }
}

#[derive(Debug, PartialEq)]
enum Heard {
    Close(u16),
    Error,
    Text(String),
}

async fn serving(world: &World, handler: MethodRouter) -> SocketAddr {
    serving_on(acceptor(world, mutual(world)), handler).await
}

async fn serving_on(acceptor: ServerAcceptor, handler: MethodRouter) -> SocketAddr {
    serve(acceptor, Router::new().route("/", handler)).await
}

async fn connect(connector: ClientConnector, address: SocketAddr) -> AttestedStream<TcpStream> {
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    connector.connect(name, socket).await.unwrap()
}

async fn open(world: &World, address: SocketAddr) -> Client {
    let stream = connect(connector(world, "http/1.1"), address).await;
    client_async(URL, stream).await.unwrap().0
}

/// A client, and a server that has no end of its own and does nothing by itself.
async fn with_endless_server(
    world: &World,
    about_it: Arc<RelyingParty>,
) -> (Client, WebSocketStream<TlsStream<TcpStream>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = async {
        let link = attested_server(world, &listener, "http/1.1").await;
        accept_async(link.tls).await.unwrap()
    };
    let opening = async {
        let terms = ClientTerms::new().require_peer(about_it);
        let connector = ClientConnector::new(world.client_tls(&["http/1.1"]), terms).unwrap();
        let stream = connect(connector, address).await;
        client_async(URL, stream).await.unwrap().0
    };
    tokio::join!(opening, accepting)
}

async fn echo<S>(socket: &mut WebSocketStream<S>, text: &str) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    socket.send(text.into()).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap();
    answer.into_text().unwrap().to_string()
}

/// The code with which the other end closes. Messages before that are passed over.
async fn told<S>(socket: &mut WebSocketStream<S>) -> u16
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let message = socket.next().await.unwrap().unwrap();
        if let tungstenite::Message::Close(frame) = message {
            return frame.unwrap().code.into();
        }
    }
}

fn restart() -> tungstenite::protocol::CloseFrame {
    tungstenite::protocol::CloseFrame {
        code: close_code::RESTART.into(),
        reason: "".into(),
    }
}

const URL: &str = "wss://localhost/";
