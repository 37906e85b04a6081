//! What the tests of the proxy share.

use std::net::SocketAddr;

use atls_sim::SimAttester;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
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

/// An attested connection with a reverse proxy, over which a test sends what it likes.
pub async fn attested(world: &World, proxy: &Proxy, protocol: &str) -> AttestedStream<TcpStream> {
    let key = std::fs::read_to_string(world.path("own.pem")).unwrap();
    let key = rcgen::KeyPair::from_pem(&key).unwrap().serialize_der();
    let server = SimAttester::from_pkcs8(&key).unwrap();
    let terms = ClientTerms::new().require_peer(demo::trusting(&server).unwrap());
    let tls = world.authority.client(&[protocol]).unwrap();
    let connector = ClientConnector::new(tls, terms).unwrap();
    let socket = TcpStream::connect(proxy.address()).await.unwrap();
    let name = "localhost".try_into().unwrap();
    connector.connect(name, socket).await.unwrap()
}

/// All that a reverse proxy answers to these bytes, which must end the connection.
pub fn sent_attested(world: &World, proxy: &Proxy, request: &[u8]) -> String {
    world.block_on(async {
        let (mut reader, mut writer) = tokio::io::split(attested(world, proxy, "http/1.1").await);
        let request = request.to_vec();
        // What is refused is not read to its end.
        tokio::spawn(async move { (writer.write_all(&request).await, writer).0 });
        let mut answer = Vec::new();
        let _ = reader.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    })
}

/// A server that answers every connection with these bytes, and ends it.
pub async fn answering(answer: &[u8]) -> SocketAddr {
    let answer = answer.to_vec();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}
