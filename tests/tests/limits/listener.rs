//! The limits of a listener: how many connections, and how much each of HTTP/2 may take.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;

use atls_axum::AttestedListener;
use atls_axum::Http2Limits;
use atls_axum::ListenerBuilder;
use atls_core::ConfigError;
use atls_core::limits::DEFAULT_CONNECTIONS;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use end_to_end::Gate;
use end_to_end::World;
use end_to_end::time::settle;
use end_to_end::time::until;
use http_body_util::Empty;
use hyper::body::Body;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper::client::conn::http2;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

pub(crate) fn builder(world: &World) -> ListenerBuilder {
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    AttestedListener::builder(ServerAcceptor::new(tls, terms).unwrap())
}

pub(crate) async fn serve(builder: ListenerBuilder, app: Router) -> SocketAddr {
    let listener = builder.bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr();
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    address
}

async fn connect(world: &World, address: SocketAddr, alpn: &[&str]) -> AttestedStream<TcpStream> {
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(alpn), terms).unwrap();
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    connector.connect(name, socket).await.unwrap()
}

async fn http2_client<B>(world: &World, address: SocketAddr) -> http2::SendRequest<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: std::error::Error + Send + Sync,
{
    let io = TokioIo::new(connect(world, address, &["h2"]).await);
    let (sender, driver) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(driver);
    sender
}

#[tokio::test]
async fn as_many_requests_of_a_connection_are_served_at_once_as_it_may_have_streams() {
    let world = World::new();
    let gate = Gate::new();
    let slow = gate.clone();
    let app = Router::new().fallback(async move || slow.pass().await);
    let mut limits = Http2Limits::default();
    limits.streams = 2;
    let address = serve(builder(&world).http2(limits), app).await;
    let mut sender = http2_client::<Empty<Bytes>>(&world, address).await;
    let request = || Request::get("https://localhost/").body(Empty::new());
    // The client knows of the limit once it is answered.
    let first = tokio::spawn(sender.send_request(request().unwrap()));
    gate.reached_by(1).await;
    gate.open_once();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    let mut asking = Vec::new();
    for _ in 0..3 {
        asking.push(tokio::spawn(sender.send_request(request().unwrap())));
    }
    gate.reached_by(2).await;
    settle().await;
    assert_eq!(gate.waiting(), 0, "the third waits at the client");
    gate.open();
    for answer in asking {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_fills_its_window_and_no_more() {
    let world = World::new();
    for (window, stream_window) in [(1024 * 1024, 64 * 1024), (64 * 1024, 64 * 1024)] {
        let gate = Gate::new();
        let slow = gate.clone();
        let never_read = any(async move |request: Request| {
            slow.pass().await;
            drop(request);
        });
        let mut limits = Http2Limits::default();
        (limits.window, limits.stream_window) = (window, stream_window);
        let app = Router::new().fallback_service(never_read);
        let address = serve(builder(&world).http2(limits), app).await;
        let mut sender = http2_client::<Endless>(&world, address).await;
        let sent = Arc::new(AtomicUsize::new(0));
        let request = Request::post("https://localhost/").body(Endless(sent.clone()));
        let _asking = tokio::spawn(sender.send_request(request.unwrap()));
        gate.reached_by(1).await;
        let most = usize::try_from(stream_window).unwrap();
        let all = || sent.load(Ordering::Relaxed);
        until("the window is full", || all() >= most).await;
        let mut before = 0;
        // Until nothing moves.
        while before != all() {
            before = all();
            settle().await;
        }
        // A piece waits at the client.
        assert!((most..=most + 2 * PIECE).contains(&before), "{before}");
    }
}

/// A body without end, and how much of it was asked for.
struct Endless(Arc<AtomicUsize>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.fetch_add(PIECE, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; PIECE])))))
    }
}

const PIECE: usize = 8 * 1024;

#[tokio::test]
async fn a_listener_with_http_1_alone_takes_no_http_2_of_whoever_negotiates_nothing() {
    let world = World::new();
    let app = || Router::new().fallback(async || "hello");
    for (listener, is_taken) in [
        (builder(&world), true),
        (builder(&world).http1_alone(), false),
    ] {
        let address = serve(listener, app()).await;
        let mut stream = connect(&world, address, &[]).await;
        // The preface, and empty SETTINGS.
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(preface).await.unwrap();
        let mut start = [b'-'];
        // The end is an answer too.
        let _ = stream.read(&mut start).await;
        // SETTINGS have a length of three bytes, the first of which is 0.
        assert_eq!(start == [0], is_taken);
    }
}

#[tokio::test]
async fn heads_are_bounded_whether_a_protocol_was_negotiated_or_not() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let app = Router::new().fallback(async || "hello");
    let address = serve(AttestedListener::builder(acceptor), app).await;
    for alpn in [&["http/1.1"][..], &[]] {
        for (length, status) in [(30 * 1024, "200"), (70 * 1024, "431")] {
            let mut stream = connect(&world, address, alpn).await;
            let long = "a".repeat(length);
            let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\nlong: {long}\r\n\r\n");
            // It may be closed before it has taken all.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.flush().await;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes());
        }
        let mut stream = connect(&world, address, alpn).await;
        let many = "a: b\r\n".repeat(101);
        let head = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    let says = settings_of(connect(&world, address, &[]).await).await;
    assert!(says.contains(&[0, 6, 0, 0, 0x40, 0]), "16 KiB: {says:?}");
    assert!(says.contains(&[0, 3, 0, 0, 0, 100]), "streams: {says:?}");
}

/// Those that a server tells a client that begins with HTTP/2.
async fn settings_of(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Vec<[u8; 6]> {
    end_to_end::http2::begin(&mut stream).await.unwrap();
    let settings = end_to_end::http2::next(&mut stream).await.unwrap();
    assert_eq!(settings.kind, end_to_end::http2::SETTINGS);
    let pairs = settings.payload.chunks_exact(6);
    pairs.map(|pair| pair.try_into().unwrap()).collect()
}

/// However large the limits of clients that are served are.
#[tokio::test]
async fn a_client_that_is_not_served_gets_one_stream_and_a_small_window() {
    let world = World::new();
    let terms = ServerTerms::new().require_peer(world.about_clients());
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = ServerAcceptor::new(tls, terms).unwrap();
    let address = serve(AttestedListener::builder(acceptor), Router::new()).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let ordinary = TlsConnector::from(Arc::new(world.client_tls(&["h2"])));
    let name = "localhost".try_into().unwrap();
    let mut stream = ordinary.connect(name, socket).await.unwrap();
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    // RFC 9113 §6.5: the length in three bytes, the type, and pairs of two bytes and four.
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    let [0, 0, length, 4, ..] = head else {
        panic!("no SETTINGS: {head:?}");
    };
    let mut settings = vec![0; length.into()];
    stream.read_exact(&mut settings).await.unwrap();
    let says = |pair: [u8; 6]| settings.chunks_exact(6).any(|said| said == pair);
    assert!(says([0, 3, 0, 0, 0, 1]), "one stream: {settings:?}");
    assert!(says([0, 4, 0, 0, 0x40, 0]), "16 KiB: {settings:?}");
}

#[tokio::test]
async fn the_number_of_connections_has_a_limit_whatever_is_said() {
    let each = Http2Limits::default().connection_memory();
    let rest = 16 * 1024 * 1024 + 2 * 256 * 1024;
    let world = World::new();
    let base = || builder(&world).pending(2);
    let most = u32::MAX.try_into().unwrap();
    for (listener, expected) in [
        (base(), DEFAULT_CONNECTIONS),
        (base().connections(7), 7),
        (base().connections_within(rest + 5 * each), 5),
        (base().connections_within(rest + 6 * each - 1), 5),
        // Whichever is said first.
        (
            base()
                .connections_within(rest + 3 * 256 * 1024)
                .http1_alone(),
            3,
        ),
        (
            base().connections_within(u64::MAX).pending(0).http1_alone(),
            usize::MAX,
        ),
    ] {
        let limit = limit_of(listener, CONNECTIONS).await;
        assert_eq!(limit, Ok(expected.min(most)));
    }
    for bytes in [0, rest, rest + each - 1] {
        let refused = limit_of(base().connections_within(bytes), CONNECTIONS).await;
        assert!(matches!(refused, Err(ConfigError::Limit(_))), "{bytes}");
    }
}

#[tokio::test]
async fn a_limit_of_none_is_one_and_is_told_as_one() {
    let world = World::new();
    let none = || builder(&world).pending(0).connections(0);
    for limit in [PENDING, CONNECTIONS] {
        assert_eq!(limit_of(none(), limit).await, Ok(1), "{limit}");
    }
    let app = Router::new().fallback(async || "hello");
    let address = serve(none(), app).await;
    let mut sender = http2_client::<Empty<Bytes>>(&world, address).await;
    let request = Request::get("https://localhost/").body(Empty::new());
    let answer = sender.send_request(request.unwrap()).await;
    assert_eq!(answer.unwrap().status(), 200);
}

#[tokio::test]
async fn limits_of_http_2_that_make_no_sense_are_refused() {
    let world = World::new();
    let mut limits = Http2Limits::default();
    limits.streams = 0;
    let refused = limit_of(builder(&world).http2(limits), CONNECTIONS).await;
    assert!(matches!(refused, Err(ConfigError::Limit(_))), "{refused:?}");
}

/// The limit that an operator sees.
async fn limit_of(builder: ListenerBuilder, name: &str) -> Result<usize, ConfigError> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _recording = metrics::set_default_local_recorder(&recorder);
    if let Err(refused) = builder.over(socket) {
        let cause = refused.get_ref().unwrap().downcast_ref::<ConfigError>();
        return Err(cause.unwrap().clone());
    }
    let text = seen.render();
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(value.unwrap().parse().unwrap())
}

const CONNECTIONS: &str = "atls_connections_limit";
const PENDING: &str = "atls_pending_connections_limit";
