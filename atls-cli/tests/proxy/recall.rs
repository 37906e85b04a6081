//! Connections that were accepted by a policy which changed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestationResult;
use atls_sim::SimAttester;
use atls_tdx::testing::ForgedPlatform;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use axum::routing::post;
use futures_util::stream;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::kit::attested;
use crate::kit::fetch;
use crate::kit::reverse;
use crate::proxies::Proxy;
use crate::support;
use crate::support::World;

const TRUST: [&str; 6] = [
    "--policy",
    "policy.toml",
    "--dangerous-root",
    "tdx=root.der",
    "--collateral",
    "collateral",
];

#[test]
fn a_client_is_attested_anew_by_a_new_policy() {
    let world = World::new();
    let device = allowed(&world);
    let behind = world.plain(Router::new().fallback(async || "hello"));
    let more = [&["--clients", "require", "--drain", "1"], &TRUST[..]].concat();
    let mut proxy = reverse(&world, &format!("http://{behind}"), &more);
    let key = std::fs::read_to_string(world.path("own.pem")).unwrap();
    let key = rcgen::KeyPair::from_pem(&key).unwrap().serialize_der();
    let server = SimAttester::from_pkcs8(&key).unwrap();
    let terms = ClientTerms::new()
        .require_peer(demo::trusting(&server).unwrap())
        .attester(Arc::new(device));
    let tls = world.authority.client(&["http/1.1"]).unwrap();
    let connector = ClientConnector::new(tls, terms).unwrap();
    let connect = async |address| {
        let socket = TcpStream::connect(address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        connector.connect(name, socket).await
    };
    let ask = async |sender: &mut hyper::client::conn::http1::SendRequest<Empty<Bytes>>| {
        let request = hyper::Request::get("/").header("host", "localhost");
        let request = request.body(Empty::new()).unwrap();
        sender.send_request(request).await.unwrap().status()
    };
    let address = proxy.address();
    let driver = world.block_on(async {
        let stream = connect(address).await.unwrap();
        let io = TokioIo::new(stream);
        let (mut sender, driver) = hyper::client::conn::http1::handshake(io).await.unwrap();
        let driver = tokio::spawn(driver);
        assert_eq!(ask(&mut sender).await, 200);
        (driver, sender)
    });
    forbid(&world);
    proxy.signal("HUP");
    proxy.reads("peers are attested anew");
    world.block_on(async {
        let (driver, _sender) = driver;
        let ended = tokio::time::timeout(PATIENCE, driver).await;
        assert!(ended.is_ok(), "the connection goes on");
        let again = async {
            let stream = connect(address).await?;
            let io = TokioIo::new(stream);
            let (mut sender, driver) = hyper::client::conn::http1::handshake(io).await.unwrap();
            tokio::spawn(driver);
            let request = hyper::Request::get("/").header("host", "localhost");
            let request = request.body(Empty::<Bytes>::new()).unwrap();
            let answered = sender.send_request(request).await;
            Ok::<_, atls_tower::Error>(answered.is_ok_and(|answer| answer.status() == 200))
        };
        assert!(!again.await.unwrap_or(false));
    });
}

#[test]
fn a_server_is_attested_anew_by_a_new_policy() {
    let world = World::new();
    let device = allowed(&world);
    let url = world.attested(device, Router::new().route("/", get(async || "hello")));
    let mut proxy = forward(&world, &url);
    let (head, _) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 200);
    forbid(&world);
    proxy.signal("HUP");
    proxy.reads("peers are attested anew");
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 502);
    assert!(body.contains("\"code\":\"refused\""), "{body}");
}

#[test]
fn an_answer_without_end_is_cut_when_its_policy_changed() {
    let world = World::new();
    let device = allowed(&world);
    let endless = async |_: Option<AttestationResult>| {
        let first = stream::iter([Ok::<_, std::convert::Infallible>("first")]);
        Body::from_stream(futures_util::StreamExt::chain(first, stream::pending()))
    };
    let url = world.attested(device, Router::new().route("/", get(endless)));
    let mut proxy = forward(&world, &url);
    let address = proxy.address();
    let mut body = world.block_on(async {
        let stream = TcpStream::connect(address).await.unwrap();
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, driver) = handshake.await.unwrap();
        tokio::spawn(driver);
        let request = hyper::Request::get("/").header("host", "localhost");
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        let mut body = sender.send_request(request).await.unwrap().into_body();
        assert!(body.frame().await.unwrap().is_ok());
        body
    });
    proxy.signal("HUP");
    proxy.reads("peers are attested anew");
    let next = async { tokio::time::timeout(PATIENCE, body.frame()).await };
    let next = world.block_on(next).expect("it is cut");
    assert!(next.unwrap().is_err(), "it is not whole");
}

/// What the service does not take is not read, so its connection does not fail by itself.
#[test]
fn a_websocket_whose_service_takes_nothing_is_cut_by_a_recall() {
    let world = World::new();
    let behind = world.block_on(taking_nothing());
    let clients = ["--clients", "ask", "--trust-sim", "device.key"];
    let more = [&clients[..], &["--drain", "1"]].concat();
    let mut proxy = reverse(&world, &format!("http://{behind}"), &more);
    let (read, wrote) = world.block_on(async {
        let stream = attested(&world, &proxy, "http/1.1").await;
        let (mut read, mut write) = tokio::io::split(stream);
        let upgrade = "Connection: upgrade\r\nUpgrade: websocket";
        let ask = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{upgrade}\r\n\r\n");
        write.write_all(ask.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        read.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 101");
        let writing = async move { while write.write_all(&[0; 65536]).await.is_ok() {} };
        (read, tokio::spawn(writing))
    });
    proxy.signal("HUP");
    proxy.reads("peers are attested anew");
    world.block_on(async {
        let ended = tokio::time::timeout(PATIENCE, wrote).await;
        assert!(ended.is_ok(), "it is cut");
        drop(read);
    });
}

/// A service that agrees to a WebSocket, and reads nothing of it.
async fn taking_nothing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let agreed = "Connection: upgrade\r\nUpgrade: websocket";
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\n{agreed}\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    address
}

/// A server that answers at once has its answer, and goes on to take what is sent.
#[test]
fn an_upload_is_cut_when_its_policy_changed_though_it_was_answered() {
    let world = World::new();
    let device = allowed(&world);
    let (ended, mut was_cut) = tokio::sync::mpsc::unbounded_channel();
    let take = async move |mut body: Body| {
        tokio::spawn(async move {
            while let Some(frame) = body.frame().await {
                if frame.is_err() {
                    return ended.send(true);
                }
            }
            ended.send(false)
        });
        "taken"
    };
    let url = world.attested(device, Router::new().route("/", post(take)));
    let mut proxy = forward(&world, &url);
    let address = proxy.address();
    let _sender = world.block_on(async {
        let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (mut sender, driver) = handshake.await.unwrap();
        tokio::spawn(driver);
        let first = stream::iter([Ok::<_, std::convert::Infallible>("first")]);
        let endless = Body::from_stream(futures_util::StreamExt::chain(first, stream::pending()));
        let request = hyper::Request::post(format!("http://{address}/"));
        let answer = sender.send_request(request.body(endless).unwrap()).await;
        let answer = answer.unwrap().into_body().collect().await.unwrap();
        assert_eq!(answer.to_bytes(), "taken");
        sender
    });
    proxy.signal("HUP");
    proxy.reads("peers are attested anew");
    let was_cut = async { tokio::time::timeout(PATIENCE, was_cut.recv()).await };
    let was_cut = world.block_on(was_cut).expect("it goes on");
    assert_eq!(was_cut, Some(true), "it looks whole");
}

fn forward(world: &World, url: &str) -> Proxy {
    let arguments = ["--listen", "127.0.0.1:0", "--to", url, "--ca", "ca.pem"];
    let more = ["--drain", "1", "--look", "60"];
    Proxy::start(world, &[&arguments[..], &more, &TRUST].concat())
}

/// A device that the policy in `policy.toml` allows.
fn allowed(world: &World) -> atls_tower::Blocking {
    let platform = Arc::new(ForgedPlatform::new(support::now()).unwrap());
    let report = platform.td_report();
    world.write("quote", platform.tdx_quote(&report, &[7; 64]).unwrap());
    let device = world.td(&platform, report);
    let new = ["policy", "new", "--from", "quote", "-o", "policy.toml"];
    world.atls(&[&new[..], &TRUST[2..]].concat()).ends_with(0);
    device
}

/// Has the policy name another image.
fn forbid(world: &World) {
    let policy = std::fs::read_to_string(world.path("policy.toml")).unwrap();
    let mut lines = policy.lines();
    let rtmr2 = lines.find(|line| line.starts_with("rtmr2")).unwrap();
    let other = format!("rtmr2 = \"{}\"", "ab".repeat(48));
    world.write("policy.toml", policy.replace(rtmr2, &other));
}

/// For what should end after a second; a failed test waits no longer.
const PATIENCE: Duration = Duration::from_secs(20);
