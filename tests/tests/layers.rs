//! The attestation of the client in requests, where layers are missing, doubled, or speak of an attestation that has ended.
//!
//! A file of its own, for the log of a process is one.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::convert::Infallible;
use std::future::Ready;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use atls_axum::AttestationResult;
use atls_axum::AttestedListener;
use atls_axum::RouterExt;
use atls_axum::Watched;
use atls_core::limits::DEFAULT_GRACE;
use atls_core::limits::MAX_DRAIN_LEAD;
use atls_reqwest::Attested;
use atls_reqwest::Http;
use atls_tower::AttestationLayer;
use atls_tower::AttestedStream;
use atls_tower::ClientAttestation;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::body::Body;
use axum::http::Extensions;
use axum::http::Request;
use axum::routing::get;
use end_to_end::World;
use end_to_end::reqwest::Response;
use end_to_end::reqwest_client;
use test_support::Log;
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tower::Service;
use tower::ServiceExt;
use tracing_subscriber::filter::LevelFilter;

const AGE: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn where_attestation_is_required_no_handler_is_called_after_it_ended() {
    for http in [Http::One, Http::Two] {
        let world = World::new();
        let server = world.serve(both(&world)).await;
        let client = reqwest_client(&mutual(&world, http));
        let fresh = client.get(server.url("/")).send().await.unwrap();
        assert_eq!(fresh.text().await.unwrap(), "hello");
        world.clock.advance(AGE);
        let late = client.get(server.url("/")).send().await.unwrap();
        assert_eq!(late.status(), 421);
        let closes = late.headers().get("connection");
        assert_eq!(closes.is_some_and(|it| it == "close"), http == Http::One);
        assert_problem(late, "attestation-expired").await;
        assert_eq!(server.hits(), 1, "a handler was called: {http:?}");
    }
}

/// A server that attests nothing has no end of its own to look at.
#[tokio::test]
async fn where_the_client_alone_attests_no_handler_is_called_after_it_ended() {
    let world = World::new();
    let terms = ServerTerms::new().require_peer(world.about_clients());
    let server = world.serve(terms).await;
    let attesting = world.client().attester(world.client_device.clone());
    let attesting = attesting.dangerous_accept_unattested_servers();
    let client = reqwest_client(&attesting.http(Http::One).build().unwrap());
    let fresh = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(fresh.text().await.unwrap(), "hello");
    world.clock.advance(AGE);
    let late = client.get(server.url("/")).send().await.unwrap();
    assert_eq!((late.status().as_u16(), server.hits()), (421, 1));
    assert_eq!(late.headers()["connection"], "close");
    assert_problem(late, "attestation-expired").await;
}

/// The first request of an expired client makes its connection drain, and later ones come on another.
#[tokio::test]
async fn where_attestation_is_asked_for_an_expired_client_is_an_unattested_one() {
    for path in ["/peer", "/attested", "/extractor"] {
        let world = World::new();
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let server = world.serve(terms.ask_peer(world.about_clients())).await;
        let client = reqwest_client(&mutual(&world, Http::Two));
        let fresh = client.get(server.url("/peer")).send().await.unwrap();
        assert_eq!(fresh.text().await.unwrap(), "affirming");
        world.clock.advance(AGE);
        let late = client.get(server.url(path)).send().await.unwrap();
        if path == "/peer" {
            assert_eq!(late.text().await.unwrap(), "unattested");
            continue;
        }
        assert_eq!(late.status(), 421);
        assert_problem(late, "attestation-expired").await;
    }
}

/// `axum::serve(listener, app)` compiles. Nobody is served by it, and the log says what to do.
#[tokio::test]
async fn a_router_without_its_make_service_serves_nobody_and_says_so() {
    let (log, _subscribed) = Log::start(LevelFilter::ERROR);
    let world = World::new();
    let listener = listen(&world).await;
    let address = axum::serve::Listener::local_addr(&listener).unwrap();
    tokio::spawn(async move { axum::serve(listener, app()).await });
    let client = reqwest_client(&mutual(&world, Http::Two));
    for path in ["/", "/extractor", "/option", "/route"] {
        let url = format!("https://localhost:{}{path}", address.port());
        assert!(client.get(url).send().await.is_err(), "{path}");
        let events = log.take().join("\n");
        assert!(events.contains("ERROR"), "{path}: {events}");
        assert!(events.contains("into_attested_make_service"), "{events}");
    }
}

#[tokio::test]
async fn a_request_that_passed_no_layer_is_a_fault_of_the_server_and_says_so() {
    let (log, _subscribed) = Log::start(LevelFilter::ERROR);
    for path in ["/extractor", "/option", "/route"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500, "{path}");
        let events = log.take().join("\n");
        assert!(events.contains("ERROR"), "{path}: {events}");
        assert!(events.contains("into_attested_make_service"), "{events}");
    }
}

#[tokio::test]
async fn axum_serves_a_router_with_its_layer() {
    let world = World::new();
    let listener = listen(&world).await;
    let address = axum::serve::Listener::local_addr(&listener).unwrap();
    let service = app().into_attested_make_service();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let client = reqwest_client(&mutual(&world, Http::Two));
    for path in ["/extractor", "/option", "/route"] {
        let url = format!("https://localhost:{}{path}", address.port());
        assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    }
}

/// The layer of a test, left in the router, would say of everybody what was said of one.
#[tokio::test]
async fn a_layer_of_another_connection_speaks_for_no_client() {
    let world = World::new();
    let device = world.client_device.clone();
    let of_a_test = atls_axum::testing::attested(demo::provider(), device, world.about_clients());
    let listener = listen(&world).await;
    let address = axum::serve::Listener::local_addr(&listener).unwrap();
    let app = app().layer(of_a_test.await.unwrap());
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    for attested in [mutual(&world, Http::Two), world.demanding()] {
        let url = format!("https://localhost:{}/option", address.port());
        let response = reqwest_client(&attested).get(url).send().await.unwrap();
        assert_eq!(response.status(), 500);
        assert_problem(response, "attestation-unknown").await;
    }
}

#[tokio::test]
async fn a_layer_may_be_met_twice() {
    let world = World::new();
    let device = world.client_device.clone();
    let layer = atls_axum::testing::attested(demo::provider(), device, world.about_clients());
    for (layer, path) in [
        (layer.await.unwrap(), "/extractor"),
        (AttestationLayer::unattested(), "/option"),
    ] {
        let app = app().layer(layer.clone()).layer(layer);
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn requests_of_a_plain_listener_are_of_unattested_clients_where_that_is_said() {
    let app = app().layer(AttestationLayer::unattested());
    for (path, status) in [("/option", 200), ("/extractor", 403), ("/route", 403)] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
    }
}

/// Its attestation may end by the clock after the request was read, which looks at the clock too.
#[tokio::test]
async fn a_request_is_the_last_of_its_connection_where_the_attestation_of_the_server_has_ended() {
    let world = World::new();
    let layer = connected(&world).await.layer();
    let is_draining = async |extensions: Extensions| {
        let lifetime = ClientAttestation::lifetime(&extensions).unwrap();
        lifetime.is_draining().to_string()
    };
    let app = Router::new().route("/", get(is_draining)).layer(layer);
    for (passes, ends) in [(Duration::ZERO, false), (AGE, true)] {
        world.clock.advance(passes);
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let connection = response.headers().get("connection");
        assert_eq!(connection.is_some_and(|it| it == "close"), ends);
        let told = axum::body::to_bytes(response.into_body(), 9).await.unwrap();
        assert_eq!(told, ends.to_string());
    }
}

/// `axum::serve` sends no GOAWAY, so a client of HTTP/2 would be refused in the time of grace.
#[tokio::test]
async fn axum_gives_a_connection_of_http_2_no_grace() {
    let world = World::new();
    for (alpn, grace) in [("h2", Duration::ZERO), ("http/1.1", DEFAULT_GRACE)] {
        let mut listener = listen(&world).await;
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let connector = ClientConnector::new(world.client_tls(&[alpn]), terms).unwrap();
        let socket = TcpStream::connect(listener.local_addr()).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let (accepted, client) = tokio::join!(
            axum::serve::Listener::accept(&mut listener),
            connector.connect(name, socket)
        );
        client.unwrap();
        let lifetime = accepted.0.lifetime();
        let drains = lifetime.ends_at().unwrap() - lifetime.drains_at().unwrap();
        assert_eq!(drains, MAX_DRAIN_LEAD + grace, "{alpn}");
    }
}

#[tokio::test]
async fn a_service_that_is_busy_is_not_ready_where_it_is_watched() {
    let stream = connected(&World::new()).await;
    let mut watched = Watched::over(&stream, Busy);
    let mut cx = Context::from_waker(Waker::noop());
    let ready = Service::<Request<Body>>::poll_ready(&mut watched, &mut cx);
    assert!(ready.is_pending());
}

/// Three ways to ask for the client's attestation.
fn app() -> Router {
    Router::new()
        .route("/route", get(async || "hello"))
        .route_layer(RequireAttestationLayer::new())
        .route("/extractor", get(async |_: AttestationResult| "hello"))
        .route("/option", get(async |_: Option<AttestationResult>| "hello"))
}

fn both(world: &World) -> ServerTerms {
    ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients())
}

fn mutual(world: &World, http: Http) -> Attested {
    let builder = world.client().require_peer(world.about_servers());
    let builder = builder.attester(world.client_device.clone());
    builder.http(http).build().unwrap()
}

/// Asks clients to attest, so that those who do not are served too.
async fn listen(world: &World) -> AttestedListener {
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let terms = terms.ask_peer(world.about_clients());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    AttestedListener::new(listener, acceptor).unwrap()
}

/// A connection in memory, whose server attested.
async fn connected(world: &World) -> AttestedStream<DuplexStream> {
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = "localhost".try_into().unwrap();
    let (accepted, client) = tokio::join!(acceptor.accept(near), connector.connect(name, far));
    client.unwrap();
    accepted.unwrap()
}

async fn assert_problem(response: Response, code: &str) {
    let kind = response.headers().get("content-type").unwrap();
    assert_eq!(kind, "application/problem+json");
    let problem: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    assert_eq!(problem.get("code").unwrap(), code);
}

struct Busy;

impl Service<Request<Body>> for Busy {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        panic!("called before it is ready")
    }
}
