//! Clients that keep a connection and ask nothing, send nothing or take nothing: each is closed in time, and makes room
//! for the next one. A server with room for one connection shows that it does.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_axum::AttestedListener;
use atls_axum::ListenerBuilder;
use atls_axum::RouterExt;
use atls_tower::ConnectionLimits;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use end_to_end::Gate;
use end_to_end::World;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(3600);

/// The loop that serves.
#[derive(Clone, Copy, Debug)]
enum By {
    Atls,
    Axum,
}

const BOTH: [By; 2] = [By::Atls, By::Axum];

struct Scene {
    world: World,
    address: SocketAddr,
    slow: Gate,
}

impl Scene {
    /// Everything that is not limited by the test may take long.
    async fn new(by: By, adjust: impl FnOnce(&mut ConnectionLimits)) -> Self {
        let mut limits = ConnectionLimits::default();
        limits.first_request = LONG;
        limits.idle = LONG;
        limits.unread = LONG;
        limits.request_body = LONG;
        adjust(&mut limits);
        Self::with(by, |builder| builder.limits(limits).connections(1)).await
    }

    async fn with(by: By, adjust: impl FnOnce(ListenerBuilder) -> ListenerBuilder) -> Self {
        let world = World::new();
        let acceptor = ServerAcceptor::new(world.server_tls(), ServerTerms::plain()).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let builder = AttestedListener::builder(acceptor);
        let listener = adjust(builder).over(socket).unwrap();
        let slow = Gate::new();
        let app = app(slow.clone());
        tokio::spawn(async move {
            match by {
                By::Atls => atls_axum::serve(listener, app).await,
                By::Axum => axum::serve(listener, app.into_attested_make_service()).await,
            }
        });
        Self {
            world,
            address,
            slow,
        }
    }

    async fn connect(&self, alpn: &[&str]) -> Link {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let tls = Arc::new(self.world.client_tls(alpn));
        Link::connect(tls, socket, None).await.unwrap()
    }

    /// Somebody else is served.
    async fn has_room(&self) {
        let client = self.world.plain_client(&["http/1.1"]);
        let url = format!("https://localhost:{}/", self.address.port());
        let served = tokio::time::timeout(Duration::from_secs(30), client.get(url).send());
        assert!(served.await.expect("there is room").is_ok());
    }
}

fn app(slow: Gate) -> Router {
    let slow = async move || {
        slow.pass().await;
        "at last"
    };
    Router::new()
        .route("/", get(async || "hello"))
        .route("/slow", get(slow))
        .route("/body", post(async |body: Bytes| body.len().to_string()))
        .route("/large", get(async || vec![b'x'; 64 << 20]))
        .route("/upgrade", get(upgrade))
        .fallback(async || ())
}

/// Switches to a protocol in which the client speaks first.
async fn upgrade(mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut upgraded = TokioIo::new(upgrade.await.unwrap());
        while let Ok(byte) = upgraded.read_u8().await {
            let _ = upgraded.write_u8(byte).await;
        }
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header("connection", "upgrade")
        .header("upgrade", "echo");
    response.body(Body::empty()).unwrap()
}

async fn say(link: &mut Link, bytes: &[u8]) {
    link.tls.write_all(bytes).await.unwrap();
    link.tls.flush().await.unwrap();
}

async fn closed(link: &mut Link) -> Vec<u8> {
    let rest = tokio::time::timeout(Duration::from_secs(30), link.drain());
    rest.await.expect("the server closes")
}

/// Reads up to the end of an answer whose last bytes are known.
async fn read_until(link: &mut Link, last: &[u8]) {
    let mut read = Vec::new();
    while !read.ends_with(last) {
        read.push(link.tls.read_u8().await.unwrap());
    }
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: u8 = 4;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// RFC 9113 §4.1.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let [_, length @ ..] = length;
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// RFC 7541: method and scheme from the static table, path and authority as literals.
fn head(method: u8, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    let path = [&[0x04, length], path.as_bytes()].concat();
    [&[method, 0x87][..], &path, b"\x01\x09localhost"].concat()
}

const GET: u8 = 0x82;
const POST: u8 = 0x83;

#[tokio::test]
async fn a_piece_of_an_http_2_preface_holds_no_connection() {
    for by in BOTH {
        for alpn in [&[][..], &["h2"], &["http/1.1"]] {
            let scene = Scene::with(by, |builder| {
                let mut limits = ConnectionLimits::default();
                limits.first_request = SHORT;
                builder.limits(limits)
            });
            let scene = scene.await;
            let mut links = Vec::new();
            for length in 1..PREFACE.len() {
                let mut link = scene.connect(alpn).await;
                say(&mut link, PREFACE.get(..length).unwrap()).await;
                links.push(link);
            }
            for mut link in links {
                closed(&mut link).await;
            }
        }
    }
}

#[tokio::test]
async fn a_connection_is_pending_until_its_first_request() {
    for by in BOTH {
        for opening in [
            &b"P"[..],
            b"GET / HTTP/1.1\r\nhost: localhost\r\n",
            &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat(),
        ] {
            let scene = Scene::with(by, |builder| {
                let mut limits = ConnectionLimits::default();
                limits.first_request = SHORT;
                builder.limits(limits).pending(1)
            });
            let scene = scene.await;
            let mut link = scene.connect(&[]).await;
            say(&mut link, opening).await;
            scene.has_room().await;
            closed(&mut link).await;
        }
    }
}

#[tokio::test]
async fn a_connection_is_pending_no_more_once_its_request_is_served() {
    for by in BOTH {
        let scene = Scene::with(by, |builder| builder.pending(1)).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        say(&mut link, b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        scene.slow.reached_by(1).await;
        scene.has_room().await;
        scene.slow.open();
        read_until(&mut link, b"at last").await;
    }
}

#[tokio::test]
async fn http_2_clients_that_ask_nothing_whole_are_closed() {
    let settings = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let headers = frame(HEADERS, END_STREAM, 1, &head(GET, "/"));
    for by in BOTH {
        for opening in [
            settings.clone(),
            [settings.clone(), headers.clone()].concat(),
        ] {
            let scene = Scene::new(by, |limits| limits.first_request = SHORT).await;
            let mut link = scene.connect(&["h2"]).await;
            say(&mut link, &opening).await;
            scene.has_room().await;
            closed(&mut link).await;
        }
    }
}

/// The deadline is the clock's, not that of a timer which runs while nothing arrives.
#[tokio::test]
async fn pings_do_not_keep_an_http_2_connection() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.first_request = SHORT).await;
        let mut link = scene.connect(&["h2"]).await;
        say(&mut link, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        let ping = frame(PING, 0, 0, &[0; 8]);
        let mut scrap = [0; 1024];
        let pinging = async {
            while link.tls.write_all(&ping).await.is_ok()
                && link.tls.flush().await.is_ok()
                && link.tls.read(&mut scrap).await.is_ok_and(|read| read > 0)
            {}
        };
        let ended = tokio::time::timeout(Duration::from_secs(30), pinging);
        ended.await.expect("the server closes");
        scene.has_room().await;
    }
}

#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    for by in BOTH {
        let scene = Scene::new(by, |_| {}).await;
        let mut link = scene.connect(&["h2"]).await;
        let opening = [
            PREFACE,
            &frame(SETTINGS, 0, 0, &[]),
            &frame(HEADERS, 0, 1, &[]),
        ]
        .concat();
        say(&mut link, &opening).await;
        let more = frame(CONTINUATION, 0, 1, &[]).repeat(100);
        let mut sent = 0;
        while link.tls.write_all(&more).await.is_ok() && link.tls.flush().await.is_ok() {
            sent += more.len();
            assert!(sent < 64 << 20, "the server takes whatever comes");
        }
        scene.has_room().await;
    }
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    for by in BOTH {
        let scene = Scene::new(by, |_| {}).await;
        let mut link = scene.connect(&["h2"]).await;
        say(&mut link, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        let mut stream = 1;
        let mut ended = false;
        while !ended {
            let mut flight = Vec::new();
            for _ in 0..1000 {
                let flags = END_STREAM | END_HEADERS;
                flight.extend(frame(HEADERS, flags, stream, &head(GET, "/slow")));
                flight.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
                stream += 2;
            }
            assert!(stream < 1_000_000, "the server takes whatever comes");
            ended = link.tls.write_all(&flight).await.is_err() || link.tls.flush().await.is_err();
        }
        drop(link);
        scene.has_room().await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.request_body = SHORT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        let request = b"POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf";
        say(&mut link, request).await;
        let answer = closed(&mut link).await;
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");

        let scene = Scene::new(by, |limits| {
            limits.request_body = SHORT;
            limits.idle = SHORT;
        });
        let scene = scene.await;
        let mut link = scene.connect(&["h2"]).await;
        let request = frame(HEADERS, END_HEADERS, 1, &head(POST, "/body"));
        say(
            &mut link,
            &[PREFACE, &frame(SETTINGS, 0, 0, &[]), &request].concat(),
        )
        .await;
        scene.has_room().await;
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.unread = SHORT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        say(&mut link, b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        scene.has_room().await;
        drop(link);
    }
}

#[tokio::test]
async fn an_http_2_client_that_gives_no_window_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.unread = SHORT).await;
        let mut link = scene.connect(&["h2"]).await;
        // SETTINGS_INITIAL_WINDOW_SIZE of 16 bytes.
        let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 16]);
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head(GET, "/large"));
        say(&mut link, &[PREFACE, &settings, &request].concat()).await;
        scene.has_room().await;
        closed(&mut link).await;
    }
}

#[tokio::test]
async fn an_http_2_client_that_gives_no_window_at_all_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| {
            limits.unread = SHORT;
            limits.idle = SHORT;
            limits.first_request = SHORT;
        });
        let scene = scene.await;
        let mut link = scene.connect(&["h2"]).await;
        // SETTINGS_INITIAL_WINDOW_SIZE of nothing.
        let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head(GET, "/"));
        say(&mut link, &[PREFACE, &settings, &request].concat()).await;
        closed(&mut link).await;
        scene.has_room().await;
    }
}

#[tokio::test]
async fn a_connect_request_does_not_keep_an_http_2_connection_by_pings() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| {
            limits.unread = SHORT;
            limits.idle = SHORT;
            limits.first_request = SHORT;
        });
        let scene = scene.await;
        let mut link = scene.connect(&["h2"]).await;
        // `:method: CONNECT`, `:authority: localhost`.
        let connect = b"\x02\x07CONNECT\x01\x09localhost";
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, connect);
        let opening = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &request].concat();
        say(&mut link, &opening).await;
        let ping = frame(PING, 0, 0, &[0; 8]);
        let mut scrap = [0; 1024];
        let pinging = async {
            while link.tls.write_all(&ping).await.is_ok()
                && link.tls.flush().await.is_ok()
                && link.tls.read(&mut scrap).await.is_ok_and(|read| read > 0)
            {}
        };
        let ended = tokio::time::timeout(Duration::from_secs(30), pinging);
        ended.await.expect("the server closes");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_with_a_goodbye() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.idle = SHORT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        for _ in 0..2 {
            say(&mut link, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
            read_until(&mut link, b"hello").await;
        }
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), link.tls.read_to_end(&mut rest));
        // Without close_notify it would be an error.
        assert_eq!(ended.await.expect("the server closes").unwrap(), 0);

        let client = scene.world.plain_client(&["h2"]);
        let url = format!("https://localhost:{}/", scene.address.port());
        assert!(client.get(url).send().await.is_ok());
        scene.has_room().await;
    }
}

#[tokio::test]
async fn an_upgrade_that_is_never_used_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.idle = SHORT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        let request = b"GET /upgrade HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        say(&mut link, request).await;
        read_until(&mut link, b"\r\n\r\n").await;
        say(&mut link, b"!").await;
        read_until(&mut link, b"!").await;
        scene.has_room().await;
        closed(&mut link).await;
    }
}

#[tokio::test]
async fn all_connections_are_bounded_those_that_are_served_included() {
    for by in BOTH {
        let scene = Scene::new(by, |_| {}).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        say(&mut link, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        read_until(&mut link, b"hello").await;
        let url = format!("https://localhost:{}/", scene.address.port());
        let second = tokio::spawn(scene.world.plain_client(&["h2"]).get(url).send());
        say(&mut link, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        read_until(&mut link, b"hello").await;
        assert!(!second.is_finished(), "a second connection is served");
        link.tls.shutdown().await.unwrap();
        assert!(second.await.unwrap().is_ok());
    }
}

/// A peer with a full window keeps neither task nor socket.
#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_although_the_peer_takes_nothing() {
    let world = World::new();
    let acceptor = ServerAcceptor::new(world.server_tls(), ServerTerms::plain()).unwrap();
    let (near, far) = tokio::io::duplex(16 * 1024);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(world.client_tls(&[])));
    let client = async {
        let name = "localhost".try_into().unwrap();
        let mut client = connector.connect(name, near).await.unwrap();
        client.write_all(b"G").await.unwrap();
        client.flush().await.unwrap();
        client
    };
    let (_client, server) = tokio::join!(client, acceptor.accept(far));
    let mut server = server.unwrap();
    let filling = async {
        loop {
            server.write_all(&[0; 1024]).await.unwrap();
        }
    };
    let full = tokio::time::timeout(SHORT, filling).await;
    assert!(full.is_err());
    let ended = server.shutdown().await.unwrap_err();
    assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
}
