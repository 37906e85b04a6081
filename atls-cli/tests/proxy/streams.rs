//! WebSocket and gRPC, through both proxies.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::Version;
use axum::response::Response;
use axum::routing::any;
use futures_util::SinkExt;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::StreamBody;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::kit::forward;
use crate::kit::reverse;
use crate::support::World;

#[test]
fn a_websocket_passes_both_proxies() {
    let world = World::new();
    let behind = world.block_on(websocket_echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    world.block_on(async {
        let url = format!("ws://{}/", front.address());
        let stream = TcpStream::connect(front.address()).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        socket.send(Message::text("hello")).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap(), "hello");
        socket.close(None).await.unwrap();
    });
}

#[test]
fn grpc_passes_both_proxies_with_its_trailers_but_for_claims() {
    let world = World::new();
    let behind = world.plain(Router::new().route("/service/method", any(grpc)));
    let back = reverse(&world, &format!("h2c://{behind}"), &[]);
    let front = forward(&world, &back);
    let trailers = world.block_on(async {
        let stream = TcpStream::connect(front.address()).await.unwrap();
        let io = TokioIo::new(stream);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (mut sender, driver) = handshake.await.unwrap();
        tokio::spawn(driver);
        let request = hyper::Request::post(format!("http://{}/service/method", front.address()))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.version(), Version::HTTP_2);
        let body = response.into_body().collect().await.unwrap();
        body.trailers().cloned().unwrap()
    });
    assert_eq!(trailers["grpc-status"], "0");
    assert!(!trailers.contains_key("atls-status"));
}

#[test]
fn upgraded_connections_go_on_for_the_time_to_drain_and_no_longer() {
    let world = World::new();
    let behind = world.block_on(websocket_echo());
    let mut back = reverse(&world, &format!("http://{behind}"), &["--drain", "5"]);
    let front = forward(&world, &back);
    let upgraded = || async {
        let url = format!("ws://localhost:{}/", front.address().port());
        let stream = TcpStream::connect(front.address()).await.unwrap();
        let upgraded = tokio_tungstenite::client_async(url, stream).await;
        upgraded.unwrap().0
    };
    let mut socket = world.block_on(upgraded());
    let _other = world.block_on(upgraded());
    back.signal("TERM");
    back.reads("requests under way finish");
    // Until it takes no more connections.
    while std::net::TcpStream::connect(back.address()).is_ok() {}
    world.block_on(async {
        socket.send(Message::text("still there")).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap(), "still there");
    });
    back.reads("upgraded connections did not finish");
    assert!(back.said().contains("connections=2"), "{}", back.said());
    assert_eq!(back.ended(), Some(0));
    let after = world.block_on(socket.next());
    assert!(after.is_none_or(|it| it.is_err()), "it was cut");
}

/// RFC 8441 is not offered by the reverse proxy, and the forward one answers that it makes no tunnels. The connection goes on.
#[test]
fn a_websocket_over_http2_is_refused_and_its_connection_goes_on() {
    let world = World::new();
    let behind = world.plain(Router::new().route("/", any(async || "hello")));
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    world.block_on(async {
        let stream = TcpStream::connect(front.address()).await.unwrap();
        let io = TokioIo::new(stream);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (mut sender, driver) = handshake.await.unwrap();
        tokio::spawn(driver);
        let url = format!("http://localhost:{}/", front.address().port());
        let plain = || {
            hyper::Request::get(&url)
                .body(Empty::<Bytes>::new())
                .unwrap()
        };
        assert_eq!(sender.send_request(plain()).await.unwrap().status(), 200);
        let mut websocket = plain();
        *websocket.method_mut() = Method::CONNECT;
        let protocol = hyper::ext::Protocol::from_static("websocket");
        websocket.extensions_mut().insert(protocol);
        assert_eq!(sender.send_request(websocket).await.unwrap().status(), 405);
        assert_eq!(sender.send_request(plain()).await.unwrap().status(), 200);
    });
}

async fn grpc() -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers.insert("atls-status", HeaderValue::from_static("affirming"));
    let frames = [
        Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from_static(b"\0\0\0\0\0"))),
        Ok(Frame::trailers(trailers)),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    Response::new(Body::new(body))
}

async fn websocket_echo() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() {
                        socket.send(message).await.unwrap();
                    }
                }
            });
        }
    });
    address
}
