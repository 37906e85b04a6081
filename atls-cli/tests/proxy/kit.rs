//! What the tests of the proxy share.

use std::net::SocketAddr;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::Uri;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::proxies::Proxy;
use crate::support::World;

pub const TRUST: [&str; 4] = ["--ca", "ca.pem", "--trust-sim", "device.key"];

pub fn reverse(world: &World, upstream: &str, more: &[&str]) -> Proxy {
    world.device_key();
    world.identity(&world.authority);
    let arguments = [
        &[
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            upstream,
            "--attester",
            "sim=own.pem",
        ][..],
        &["--cert", "chain.pem", "--key", "key.pem"],
        more,
    ];
    Proxy::start(world, &arguments.concat())
}

pub fn forward(world: &World, to: &Proxy) -> Proxy {
    let arguments = [
        &["--listen", "127.0.0.1:0", "--to", &to.url("/")],
        &TRUST[..],
    ];
    Proxy::start(world, &arguments.concat())
}

/// Answers with the head of the request.
pub fn echo() -> Router {
    let answer = async |method: Method, uri: Uri, headers: HeaderMap| {
        let path = uri.path_and_query().unwrap();
        let lines = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()));
        format!("{method} {path}\n{}", lines.collect::<String>())
    };
    Router::new().fallback(answer)
}

/// All that is answered to these bytes, which must end the connection.
pub async fn sent(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // What is refused may be cut off.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

pub struct Head {
    pub status: u16,
    pub headers: HeaderMap,
}

pub async fn fetch(address: SocketAddr, path: &str) -> (Head, String) {
    let stream = TcpStream::connect(address).await.unwrap();
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, driver) = handshake.await.unwrap();
    tokio::spawn(driver);
    let request = hyper::Request::get(path)
        .header("host", "localhost")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let head = Head {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
    };
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (head, String::from_utf8(body.to_vec()).unwrap())
}
