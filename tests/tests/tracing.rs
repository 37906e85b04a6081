//! The log: one event per connection that says whose fault it was and why, and nothing secret.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;

use atls_axum::AttestedListener;
use atls_axum::Preamble;
use atls_core::BoxFuture;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_reqwest::Attested;
use atls_sim::SimVerifier;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::body::Bytes;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::reqwest_client;
use rustls::ClientConfig;
use rustls::ServerConfig;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;
use tower::Layer as _;
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Of this thread, on which a test's runtime runs everything.
    fn capture() -> (Self, DefaultGuard) {
        Self::capture_with(
            Targets::new()
                .with_target("atls_tower", LevelFilter::TRACE)
                .with_target("atls_axum", LevelFilter::TRACE),
        )
    }

    fn capture_with(ours: Targets) -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(ours));
        let guard = tracing::subscriber::set_default(subscriber);
        (log, guard)
    }

    fn take(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    /// The events of one side.
    fn of(&self, side: &str) -> Vec<String> {
        let side = format!("side=\"{side}\"");
        let mut events = self.take();
        events.retain(|event| event.contains(&side));
        events
    }
}

/// One event, of this level, with all of these words.
fn assert_one(events: &[String], level: &str, words: &[&str]) {
    let [event] = events else {
        panic!("{events:#?}");
    };
    assert!(event.contains(&format!(" {level} ")), "{level}: {event}");
    for word in words {
        assert!(event.contains(word), "{word:?} in {event}");
    }
}

#[tokio::test]
async fn a_success_names_platform_image_binding_and_the_time_left() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let server = world.serve_attested().await;
    let client = reqwest_client(&world.demanding());
    client.get(server.url("/")).send().await.unwrap();
    let events = log.take();
    let (clients, servers): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| event.contains("side=\"client\""));
    let words = [
        "peer is attested",
        "platform=application/eat+cwt",
        "image=SimAttester::SOFTWARE",
        "status=affirming",
        "binding=connection",
        r#"tls.cipher="TLS_AES_256_GCM_SHA384""#,
        "leaf_scheme=ECDSA_NISTP256_SHA256",
        "valid_for_s=3600",
    ];
    assert_one(&clients, "INFO", &words);
    let words = [
        "side=\"server\"",
        "network.peer.address=127.0.0.1",
        "without attestation",
    ];
    assert_one(&servers, "DEBUG", &words);
}

/// reqwest knows the group only where it had no choice.
#[tokio::test]
async fn a_success_names_the_group_where_it_is_known() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let server = world.serve_attested().await;
    for (provider, known) in [(demo::provider(), false), (demo::hybrid_provider(), true)] {
        let attested = Attested::builder(provider)
            .roots(world.authority.roots().unwrap())
            .time_provider(world.clock.clone())
            .require_peer(world.about_servers())
            .build()
            .unwrap();
        let client = reqwest_client(&attested);
        client.get(server.url("/")).send().await.unwrap();
        let events = log.of("client");
        assert_one(&events, "INFO", &["peer is attested"]);
        assert_eq!(events[0].contains("tls.curve=X25519MLKEM768"), known);
    }
}

#[tokio::test]
async fn a_refusal_says_the_last_cause() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let stranger = World::new().server_device;
    let server = world.serve(ServerTerms::new().attester(stranger)).await;
    let client = reqwest_client(&world.demanding());
    client.get(server.url("/")).send().await.unwrap_err();
    let events = log.of("client");
    let words = [
        "peer's attestation was refused: appraisal failed: evidence is signed by an unknown key",
        "fault=peer",
    ];
    assert_one(&events, "WARN", &words);
    // Neither a binder nor Evidence, a certificate or a name in it: nothing that is long and random.
    for word in events[0].split(|c: char| !c.is_ascii_alphanumeric()) {
        let random = word.len() >= 32 && word.chars().any(|c| c.is_ascii_digit());
        assert!(!random, "{word} in {events:?}");
    }
}

/// As a service in production has it: spans of lower levels than the filter's would be gone.
#[tokio::test]
async fn a_refusal_at_info_says_who_refused_whom_and_why() {
    let ours = Targets::new().with_default(LevelFilter::INFO);
    let (log, _guard) = Log::capture_with(ours);
    let world = World::new();
    let server = requiring(&world).await;
    let stranger = World::new().client_device;
    let attested = world.client().require_peer(world.about_servers());
    let attested = attested.attester(stranger).build().unwrap();
    let client = reqwest_client(&attested);
    client.get(server.url("/")).send().await.unwrap_err();
    let mut events = log.take();
    // The client has its verdict first.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    events.extend(log.take());
    let (clients, servers): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| event.contains("side=\"client\""));
    let words = [
        "side=\"server\"",
        "network.peer.address=127.0.0.1 network.peer.port=",
        "error.type=\"unknown_key\"",
        "fault=peer",
    ];
    assert_one(&servers, "WARN", &words);
    let words = [
        "server.address=\"localhost\"",
        "error.type=\"refused_by_peer\"",
        "fault=peer",
    ];
    assert_one(&clients, "WARN", &words);
}

#[tokio::test]
async fn addresses_are_left_out_by_a_filter_of_their_own() {
    let ours = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("atls_axum::connection", LevelFilter::OFF);
    let (log, _guard) = Log::capture_with(ours);
    let world = World::new();
    let server = requiring(&world).await;
    let client = world.plain_client(&["h2", "http/1.1"]);
    client.get(server.url("/")).send().await.unwrap();
    let events = log.of("server");
    assert_one(&events, "INFO", &["peer did not attest"]);
    assert!(!events[0].contains("127.0.0.1"), "{events:?}");
}

#[tokio::test]
async fn a_client_behind_a_load_balancer_is_named_beside_it() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = AttestedListener::builder(acceptor)
        .preamble(Arc::new(Balancer))
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().port());
    tokio::spawn(async move { atls_axum::serve(listener, Router::new()).await });
    let client = reqwest_client(&world.demanding());
    client.get(url).send().await.unwrap();
    let words = [
        "network.peer.address=127.0.0.1",
        "client.address=192.0.2.7 client.port=7",
    ];
    assert_one(&log.of("server"), "DEBUG", &words);
}

/// Says that every client is another than the peer of the network.
#[derive(Debug)]
struct Balancer;

impl Preamble for Balancer {
    fn read<'a>(
        &'a self,
        _: &'a mut TcpStream,
        _: SocketAddr,
    ) -> BoxFuture<'a, io::Result<SocketAddr>> {
        Box::pin(async { Ok(SocketAddr::from(([192, 0, 2, 7], 7))) })
    }
}

#[tokio::test]
async fn a_route_that_refuses_says_why_with_the_reason_and_the_fault() {
    let (log, _guard) = Log::capture();
    let device = Arc::new(atls_sim::SimAttester::generate().unwrap());
    let accepting = demo::trusting(&device).unwrap();
    let connection = atls_tower::testing::attested(demo::provider(), device, accepting);
    let connection = connection.await.unwrap();
    log.take();
    let strict = RequireAttestationLayer::new().with_policy(StandardPolicy::new());
    let handler = tower::service_fn(async |_: http::Request<String>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(Bytes::new()))
    });
    let service = connection.layer(strict.layer(handler));
    let response = service.oneshot(http::Request::new(String::new())).await;
    assert_eq!(response.unwrap().status(), 403);
    let words = [
        "peer is refused by this route",
        "evidence comes from a simulator",
        "error.type=\"policy_simulated\"",
        "fault=peer",
    ];
    assert_one(&log.take(), "INFO", &words);
}

#[tokio::test]
async fn an_unknown_image_is_told_with_what_was_seen_and_what_is_allowed() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let verifier = SimVerifier::new(world.server_device.trust_anchor())
        .with_reference_values(Vec::new())
        .with_known_software("web 1.4", [4; 32]);
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let relying_party = Arc::new(relying_party.build().unwrap());
    let attested = world.client().require_peer(relying_party).build().unwrap();
    let server = world.serve_attested().await;
    let client = reqwest_client(&attested);
    client.get(server.url("/")).send().await.unwrap_err();
    let seen = atls_sim::SimAttester::SOFTWARE.map(|byte| format!("{byte:02x}"));
    let allowed = format!("allowed are web 1.4 ({})", "04".repeat(32));
    let words = ["sim.software", &seen.concat(), &allowed, "fault=peer"];
    assert_one(&log.of("client"), "INFO", &words);
}

#[tokio::test]
async fn a_server_that_does_not_attest_is_a_warning_of_the_client() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let client = reqwest_client(&world.demanding());
    client.get(server.url("/")).send().await.unwrap_err();
    let words = ["peer did not attest", "give it an attester", "fault=peer"];
    assert_one(&log.of("client"), "WARN", &words);
}

#[tokio::test]
async fn a_plain_client_where_attestation_is_required_is_no_warning() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let server = requiring(&world).await;
    let client = world.plain_client(&["h2", "http/1.1"]);
    let answer = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_one(&log.of("server"), "INFO", &["peer did not attest"]);
}

#[tokio::test]
async fn the_noise_of_the_internet_is_debug() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let server = requiring(&world).await;
    for (sent, said) in [
        (&b""[..], "closed the connection during the TLS handshake"),
        (
            b"\x16\x03\x01",
            "closed the connection during the TLS handshake",
        ),
        (
            b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
            "plain HTTP to the TLS port",
        ),
        (b"\x15\x03\x01\x00\x02\x02\x28", "no TLS ClientHello"),
    ] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(sent).await.unwrap();
        socket.shutdown().await.unwrap();
        // A reset is an end too.
        let _ = socket.read_to_end(&mut Vec::new()).await;
        assert_one(&log.of("server"), "DEBUG", &[said]);
    }
    let tls = TlsConnector::from(Arc::new(world.client_tls(&["h2"])));
    let socket = TcpStream::connect(server.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let mut stream = tls.connect(name, socket).await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    let said = ["right after the TLS handshake"];
    assert_one(&log.of("server"), "DEBUG", &said);
}

#[tokio::test]
async fn a_client_of_tls_1_2_is_told_from_others() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let server = requiring(&world).await;
    let tls = ClientConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(world.authority.roots().unwrap())
        .with_no_client_auth();
    let socket = TcpStream::connect(server.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let connected = TlsConnector::from(Arc::new(tls))
        .connect(name, socket)
        .await;
    connected.unwrap_err();
    let said = ["the client speaks TLS 1.2 at most; attested TLS needs 1.3"];
    assert_one(&log.of("server"), "INFO", &said);
}

#[tokio::test]
async fn a_server_of_tls_1_2_is_told_from_others() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let tls = ServerConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let accepted = TlsAcceptor::from(Arc::new(tls)).accept(socket).await;
        accepted.unwrap_err();
    });
    let client = reqwest_client(&world.demanding());
    let url = format!("https://localhost:{}/", address.port());
    let error = client.get(url).send().await.unwrap_err();
    assert!(end_to_end::exchange_error(&error).is_old_tls());
    let said = ["the server speaks TLS 1.2 at most; attested TLS needs 1.3"];
    assert_one(&log.of("client"), "WARN", &said);
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_others() {
    let (log, _guard) = Log::capture();
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(answer).await.unwrap();
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    let client = reqwest_client(&world.demanding());
    let url = format!("https://localhost:{}/", address.port());
    let error = client.get(url).send().await.unwrap_err();
    assert!(end_to_end::exchange_error(&error).is_no_tls());
    let said = ["server does not speak TLS"];
    assert_one(&log.of("client"), "WARN", &said);
}

#[tokio::test]
async fn the_report_of_a_reqwest_error_reaches_the_last_cause() {
    let world = World::new();
    let device = World::new().server_device;
    let server = world.serve(ServerTerms::new().attester(device)).await;
    let client = reqwest_client(&world.demanding());
    let error = client.get(server.url("/")).send().await.unwrap_err();
    let cause =
        "peer's attestation was refused: appraisal failed: evidence is signed by an unknown key";
    let whole = atls_core::report(&error).to_string();
    assert!(whole.contains(cause), "{whole}");
    assert_eq!(whole.matches("appraisal failed").count(), 1, "{whole}");
    let refusal = atls_reqwest::Error::of(&error).unwrap();
    assert!(refusal.report().to_string().starts_with(cause), "{refusal}");
}

/// Demands attestation of clients.
async fn requiring(world: &World) -> Served {
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    world.serve(terms).await
}
