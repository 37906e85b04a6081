//! `atls proxy`, as a user runs it: a process of its own, between real sockets.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod proxies;
mod support;

use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::Uri;
use axum::http::Version;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::any;
use axum::routing::get;
use demo::Authority;
use futures_util::SinkExt;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::StreamBody;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use proxies::Proxy;
use support::World;

const TRUST: [&str; 4] = ["--ca", "ca.pem", "--trust-sim", "device.key"];

#[test]
fn a_service_behind_it_is_attested_and_learns_who_asks() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    for version in ["1.1", "2"] {
        let get = [
            &[
                "get",
                &proxy.url("/a?b"),
                "--http",
                version,
                "-H",
                "Atls-Status: affirming",
                "-H",
                "Atls-Made-Up: x",
            ],
            &TRUST[..],
        ];
        let ran = world.atls(&get.concat()).ends_with(0);
        let told = ran.out();
        for line in [
            "GET /a?b\n",
            "atls-status: none\n",
            "x-forwarded-proto: https\n",
            "x-forwarded-for: 127.0.0.1\n",
            "host: localhost:",
        ] {
            assert!(told.contains(line), "{line}: {told}");
        }
        assert!(
            !told.contains("affirming") && !told.contains("made-up"),
            "{told}"
        );
    }
}

#[test]
fn no_client_can_have_the_headers_of_the_proxy_removed() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let url = proxy.url("/");
    let hop = "Connection: atls-status, x-forwarded-for, host";
    let get = [&["get", &url, "--http", "1.1", "-H", hop], &TRUST[..]].concat();
    let told = world.atls(&get).ends_with(0).out();
    for line in [
        "atls-status: none\n",
        "x-forwarded-for: 127.0.0.1\n",
        "host: localhost:",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn nothing_that_a_service_could_take_for_the_proxys_word_comes_through() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let url = proxy.url("/");
    for lie in [
        "Atls_Status",
        "Atls.Binding",
        "Forwarded",
        "X_Forwarded_For",
        "X-Forwarded-Port",
        "X-Real-IP",
    ] {
        let header = format!("{lie}: a-lie");
        let get = [&["get", &url, "-H", &header], &TRUST[..]].concat();
        let told = world.atls(&get).ends_with(0).out();
        assert!(!told.contains("a-lie"), "{lie}: {told}");
    }
}

#[test]
fn no_request_is_hidden_in_another() {
    let world = World::new();
    let behind = world.plain(echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let hidden =
        "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAtls-Status: a-lie\r\n\r\n";
    let lengths = [
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Content-Length: 1\r\nContent-Length: 7",
        "Transfer-Encoding: identity, chunked\r\nConnection: transfer-encoding",
    ];
    for length in lengths {
        let request =
            format!("POST /seen HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n0\r\n\r\n{hidden}");
        let answers = world.block_on(sent(front.address(), request.as_bytes()));
        assert!(answers.starts_with("HTTP/1.1 "), "{length}: {answers}");
        assert!(!answers.contains("a-lie"), "{length}: {answers}");
        assert!(
            !answers.contains("content-length: 1\n"),
            "{length}: {answers}"
        );
    }
}

#[test]
fn no_protocol_with_requests_in_it_passes_as_an_upgrade() {
    let world = World::new();
    let behind = world.block_on(agreeable());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    for protocol in [
        "h2c",
        "h2c, websocket",
        "websocket, h2c",
        "HTTP/2.0",
        "h2c ",
    ] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: {protocol}\r\n\r\n"
        );
        let answer = world.block_on(sent(front.address(), request.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 200"), "{protocol}: {answer}");
    }
}

#[test]
fn no_tunnel_is_made() {
    let world = World::new();
    let url = world.attested(world.device("device"), echo());
    let listen = ["--listen", "127.0.0.1:0", "--to", &url];
    let proxy = Proxy::start(&world, &[&listen[..], &TRUST].concat());
    let answer = world.block_on(async {
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let request = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(&answer, b"HTTP/1.1 405");
}

#[test]
fn a_client_that_attests_is_named_to_the_service() {
    let world = World::new();
    let key = rcgen::KeyPair::generate().unwrap();
    world.write("client.pem", key.serialize_pem());
    let own = atls_sim::SimAttester::from_pkcs8(&key.serialize_der()).unwrap();
    world.write("client.key", own.trust_anchor().public_key());
    let behind = world.plain(echo());
    let demands = ["--clients", "require", "--trust-sim", "client.key"];
    let proxy = reverse(&world, &format!("http://{behind}"), &demands);
    let url = proxy.url("/");
    let without = [&["get", &url], &TRUST[..]].concat();
    let get = [&without[..], &["--attester", "sim=client.pem"]].concat();
    let told = world.atls(&get).ends_with(0).out();
    for line in [
        "atls-status: affirming\n",
        "atls-binding: connection\n",
        "atls-expires: 20",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    assert_ne!(world.atls(&without).code(), 0);
}

#[test]
fn a_service_may_be_behind_a_unix_socket_or_be_gone() {
    let world = World::new();
    let path = world.path("service.sock");
    world.plain_at(&path, echo());
    let proxy = reverse(&world, "unix:service.sock", &[]);
    let ask = || {
        world
            .atls(&[&["get", &proxy.url("/x"), "-i"], &TRUST[..]].concat())
            .ends_with(0)
    };
    assert!(ask().out().contains("GET /x\n"));
    std::fs::remove_file(&path).unwrap();
    let gone = reverse(&world, "unix:service.sock", &[]);
    let ran = world
        .atls(&[&["get", &gone.url("/x"), "-i"], &TRUST[..]].concat())
        .ends_with(0);
    assert!(ran.out().starts_with("HTTP/2.0 502"), "{}", ran.out());
    assert!(ran.out().contains("\"code\":\"upstream\""), "{}", ran.out());
}

#[test]
fn what_goes_out_is_attested_and_the_answer_says_so() {
    let world = World::new();
    let lies = get(async || {
        let mut response = "hello".into_response();
        let lie = HeaderValue::from_static("lie");
        response.headers_mut().insert("atls-binding", lie.clone());
        response.headers_mut().insert("atls-made-up", lie);
        response
    });
    let url = world.attested(world.device("device"), Router::new().route("/", lies));
    let proxy = Proxy::start(
        &world,
        &[&["--listen", "127.0.0.1:0", "--to", &url], &TRUST[..]].concat(),
    );
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["atls-status"], "affirming");
    assert_eq!(head.headers["atls-binding"], "connection");
    assert!(!head.headers.contains_key("atls-made-up"));
    assert_eq!(body, "hello");
}

#[test]
fn nothing_goes_out_to_a_server_that_does_not_attest() {
    let world = World::new();
    world.device("device");
    let url = world.ordinary();
    let proxy = Proxy::start(
        &world,
        &[&["--listen", "127.0.0.1:0", "--to", &url], &TRUST[..]].concat(),
    );
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 502);
    assert!(body.contains("\"code\":\"not-attested\""), "{body}");
}

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
fn a_new_certificate_is_taken_at_sighup_and_a_wrong_one_is_not() {
    let world = World::new();
    let behind = world.plain(echo());
    let mut proxy = reverse(&world, &format!("http://{behind}"), &[]);
    world
        .atls(&[&["get", &proxy.url("/")], &TRUST[..]].concat())
        .ends_with(0);
    let other = Authority::new().unwrap();
    world.write("other.pem", other.pem());
    world.identity(&other);
    proxy.signal("HUP");
    proxy.reads("read again");
    world
        .atls(&[
            "get",
            &proxy.url("/"),
            "--ca",
            "other.pem",
            "--trust-sim",
            "device.key",
        ])
        .ends_with(0);
    world.write("chain.pem", "nothing");
    proxy.signal("HUP");
    proxy.reads("the old one stays in force");
    world
        .atls(&[
            "get",
            &proxy.url("/"),
            "--ca",
            "other.pem",
            "--trust-sim",
            "device.key",
        ])
        .ends_with(0);
}

#[test]
fn a_new_policy_is_taken_at_sighup() {
    let world = World::new();
    let platform = Arc::new(atls_tdx::testing::ForgedPlatform::new(support::now()).unwrap());
    let report = platform.td_report();
    let device = world.td(&platform, report.clone());
    let url = world.attested(device, Router::new().route("/", get(async || "hello")));
    world.write("quote", platform.tdx_quote(&report, &[7; 64]).unwrap());
    let trust = [
        "--dangerous-root",
        "tdx=root.der",
        "--collateral",
        "collateral",
    ];
    let new = [
        &["policy", "new", "--from", "quote", "-o", "right.toml"],
        &trust[..],
    ]
    .concat();
    world.atls(&new).ends_with(0);
    let right = std::fs::read_to_string(world.path("right.toml")).unwrap();
    let rtmr2 = right
        .lines()
        .find(|line| line.starts_with("rtmr2"))
        .unwrap();
    let other = format!("rtmr2 = \"{}\"", "ab".repeat(48));
    world.write("policy.toml", right.replace(rtmr2, &other));
    let arguments = [
        &[
            "--listen",
            "127.0.0.1:0",
            "--to",
            &url,
            "--ca",
            "ca.pem",
            "--policy",
            "policy.toml",
        ],
        &trust[..],
    ];
    let mut proxy = Proxy::start(&world, &arguments.concat());
    let (head, body) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 502);
    assert!(body.contains("\"code\":\"refused\""), "{body}");
    world.write("policy.toml", right);
    proxy.signal("HUP");
    proxy.reads("read again");
    let (head, _) = world.block_on(fetch(proxy.address(), "/"));
    assert_eq!(head.status, 200);
    assert_eq!(head.headers["atls-image"], "as seen");
}

#[test]
fn requests_under_way_finish_when_it_stops() {
    let world = World::new();
    let (started, waits) = std::sync::mpsc::channel();
    let go = Arc::new(tokio::sync::Notify::new());
    let (notified, entered) = (go.clone(), started);
    let slow = get(move || {
        let (notified, entered) = (notified.clone(), entered.clone());
        async move {
            entered.send(()).unwrap();
            notified.notified().await;
            "done"
        }
    });
    let behind = world.plain(Router::new().route("/", slow));
    let mut proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let child = world
        .command(&[&["get", &proxy.url("/"), "-q"], &TRUST[..]].concat())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    waits.recv().unwrap();
    proxy.signal("TERM");
    proxy.reads("requests under way finish");
    go.notify_one();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"done");
    assert_eq!(proxy.ended(), Some(0));
}

#[test]
fn health_and_metrics_have_plain_ports_of_their_own() {
    let world = World::new();
    let behind = world.plain(echo());
    let ports = ["--admin", "127.0.0.1:0", "--probes", "127.0.0.1:0"];
    let proxy = reverse(&world, &format!("http://{behind}"), &ports);
    world
        .atls(&[&["get", &proxy.url("/")], &TRUST[..]].concat())
        .ends_with(0);
    let ask = |port: &str, path| world.block_on(fetch(proxy.told(port), path));
    assert_eq!(ask("admin at http://", "/healthz").1, "serving\n");
    assert_eq!(ask("probes at http://", "/healthz").0.status, 200);
    assert_eq!(ask("probes at http://", "/metrics").0.status, 404);
    let metrics = ask("admin at http://", "/metrics").1;
    for line in [
        "atls_proxy_requests_total{code=\"2xx\"} 1\n",
        "atls_proxy_peers_total{attested=\"no\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

#[test]
fn a_file_has_the_same_arguments() {
    let world = World::new();
    let behind = world.plain(echo());
    world.device_key();
    world.identity(&world.authority);
    let file = format!(
        "listen = \"127.0.0.1:0\"\nupstream = \"http://{behind}\"\nattester = \"sim=own.pem\"\ncert = \"chain.pem\"\nkey = \"key.pem\"\ndrain = 1\n"
    );
    world.write("proxy.toml", file);
    let proxy = Proxy::start(&world, &["--config", "proxy.toml"]);
    world
        .atls(&[&["get", &proxy.url("/")], &TRUST[..]].concat())
        .ends_with(0);
    world.write("wrong.toml", "lisen = \"x\"\n");
    let ran = world
        .atls(&["proxy", "--config", "wrong.toml"])
        .ends_with(1);
    assert!(ran.error().contains("--lisen"), "{}", ran.error());
    let ran = world
        .atls(&["proxy", "--config", "absent.toml"])
        .ends_with(1);
    assert!(ran.error().contains("absent.toml"), "{}", ran.error());
}

#[test]
fn ports_that_would_be_open_to_others_are_refused() {
    let world = World::new();
    world.device("device");
    let listen = [
        "proxy",
        "--listen",
        "0.0.0.0:0",
        "--to",
        "https://localhost/",
    ];
    let ran = world.atls(&[&listen[..], &TRUST].concat()).ends_with(1);
    assert!(ran.error().contains("loopback"), "{}", ran.error());
    let admin = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "https://localhost/",
        "--admin",
        "0.0.0.0:0",
    ];
    let ran = world.atls(&[&admin[..], &TRUST].concat()).ends_with(1);
    assert!(ran.error().contains("--probes"), "{}", ran.error());
}

#[test]
fn wrong_arguments_of_a_reverse_proxy_say_what_is_missing() {
    let world = World::new();
    world.device_key();
    world.identity(&world.authority);
    let reverse = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "http://127.0.0.1:1",
    ];
    let ran = world.atls(&reverse).ends_with(1);
    assert!(ran.error().contains("--cert FILE"), "{}", ran.error());
    let certified = [&reverse[..], &["--cert", "chain.pem", "--key", "key.pem"]].concat();
    let ran = world.atls(&certified).ends_with(1);
    assert!(ran.error().contains("--attester auto"), "{}", ran.error());
    world.identity(&Authority::new().unwrap());
    let other = world.authority.issue().unwrap();
    world.write(
        "key.pem",
        proxies::pem("PRIVATE KEY", other.key.secret_der()),
    );
    let attests = [&certified[..], &["--attester", "sim=own.pem"]].concat();
    let ran = world.atls(&attests).ends_with(1);
    assert!(ran.error().contains("no identity"), "{}", ran.error());
}

#[test]
fn systemd_hands_over_the_socket_and_hears_when_it_is_ready() {
    let world = World::new();
    let behind = world.plain(echo());
    world.device_key();
    world.identity(&world.authority);
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let notify = UnixDatagram::bind(world.path("notify")).unwrap();
    let upstream = format!("http://{behind}");
    let script = "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command
        .current_dir(world.path(""))
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_atls"),
            "proxy",
            "--listen",
            "systemd",
        ])
        .args([
            "--upstream",
            &upstream,
            "--attester",
            "sim=own.pem",
            "--cert",
            "chain.pem",
            "--key",
            "key.pem",
        ])
        .env("NOTIFY_SOCKET", world.path("notify"))
        .stdin(std::os::fd::OwnedFd::from(socket));
    let proxy = Proxy::run(command);
    let mut said = [0; 100];
    let length = notify.recv(&mut said).unwrap();
    assert!(said[..length].starts_with(b"READY=1"));
    let url = format!("https://localhost:{port}/");
    world
        .atls(&[&["get", &url], &TRUST[..]].concat())
        .ends_with(0);
    drop(proxy);
}

fn reverse(world: &World, upstream: &str, more: &[&str]) -> Proxy {
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

fn forward(world: &World, to: &Proxy) -> Proxy {
    let arguments = [
        &["--listen", "127.0.0.1:0", "--to", &to.url("/")],
        &TRUST[..],
    ];
    Proxy::start(world, &arguments.concat())
}

/// Answers with the head of the request.
fn echo() -> Router {
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
async fn sent(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // What is refused may be cut off.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// A server that agrees to every upgrade.
async fn agreeable() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8(head[..length].to_vec()).unwrap();
            let answer = match head.contains("upgrade: ") {
                true => "101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c",
                false => "200 OK\r\nContent-Length: 0\r\nConnection: close",
            };
            let answer = format!("HTTP/1.1 {answer}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
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
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    address
}

struct Head {
    status: u16,
    headers: HeaderMap,
}

async fn fetch(address: SocketAddr, path: &str) -> (Head, String) {
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
