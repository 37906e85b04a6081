//! Clocks that jump while connections live. `world.clock` is the one that is set; tokio's goes forward alone.

use std::sync::Arc;
use std::time::Duration;

use atls_core::Fault;
use atls_core::Refusal;
use atls_core::limits::CLOCK_LOOK;
use atls_core::limits::DEFAULT_GRACE;
use atls_core::pki_types::UnixTime;
use atls_reqwest::LookupError;
use atls_reqwest::ResponseExt;
use atls_tower::AttestedStream;
use atls_tower::ClientAttestation;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Problem;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::body::Bytes;
use end_to_end::Clock;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::lenient;
use end_to_end::reqwest_client;
use http::Request;
use http::Response;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio::time::Instant;
use tokio::time::advance;
use tokio::time::timeout;
use tower::Layer;
use tower::ServiceExt;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long attestations last.
const AGE: Duration = Duration::from_secs(60 * 60);
const SECOND: Duration = Duration::from_secs(1);
/// Requests that cross with a goodbye still go the old way.
const AT_MOST: usize = 100;

type Stream = AttestedStream<DuplexStream>;

/// The two ends of a connection that lives.
async fn pair(world: &World, terms: ServerTerms) -> (Stream, Stream) {
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let terms = terms.attester(world.client_device.clone());
    let client = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (near, far) = tokio::io::duplex(100_000);
    let name = "localhost".try_into().unwrap();
    let (near, far) = tokio::join!(client.connect(name, near), acceptor.accept(far));
    (near.unwrap(), far.unwrap())
}

fn mutual(world: &World) -> ServerTerms {
    let terms = ServerTerms::new().attester(world.server_device.clone());
    terms.require_peer(world.about_clients())
}

/// Whether a byte still passes.
async fn passes(from: &mut Stream, to: &mut Stream) -> bool {
    from.write_all(b"a").await.is_ok()
        && from.flush().await.is_ok()
        && to.read_u8().await.is_ok_and(|byte| byte == b'a')
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_puts_no_end_off() {
    let world = World::new();
    let (mut near, mut far) = pair(&world, mutual(&world)).await;
    world.clock.set_back(DAY);
    advance(AGE + DEFAULT_GRACE - SECOND).await;
    assert!(passes(&mut near, &mut far).await);
    advance(2 * SECOND).await;
    assert!(!passes(&mut near, &mut far).await);
    assert!(!passes(&mut far, &mut near).await);
}

/// The client is appraised before the server's device works.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_during_the_exchange_puts_no_end_off() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new().attester(Arc::new(device)).client_first();
    let terms = terms.require_peer(world.about_clients());
    let setting = async {
        gate.reached_by(1).await;
        world.clock.set_back(DAY);
        gate.open();
    };
    let connecting = async {
        let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
        // For which the server is good for longer than the client for the server.
        let servers = lenient(&world.server_device).max_age(DAY).build().unwrap();
        let terms = ClientTerms::new().require_peer(Arc::new(servers));
        let terms = terms.attester(world.client_device.clone());
        let terms = terms.attest_before_server();
        // By a clock of its own.
        let own = World::new();
        let mut tls = world.client_tls(&[]);
        tls.time_provider = own.clock.clone();
        let client = ClientConnector::new(tls, terms).unwrap();
        let (near, far) = tokio::io::duplex(100_000);
        let name = "localhost".try_into().unwrap();
        tokio::join!(client.connect(name, near), acceptor.accept(far))
    };
    let (_, (_near, far)) = tokio::join!(setting, connecting);
    let ends_at = far.unwrap().lifetime().ends_at().unwrap();
    assert!(ends_at <= Instant::now() + AGE + DEFAULT_GRACE);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_prolongs_no_clients_attestation() {
    let world = World::new();
    let (_near, far) = pair(&world, mutual(&world)).await;
    world.clock.set_back(DAY);
    advance(AGE - SECOND).await;
    assert_eq!(told(&far).await, "affirming");
    advance(SECOND).await;
    assert_eq!(told(&far).await, Problem::Expired.code());
}

/// The status of the client that a handler sees, or the problem that it gets instead.
async fn told(stream: &Stream) -> String {
    let service = tower::service_fn(async |request: Request<String>| {
        let client = ClientAttestation::of(request.extensions());
        let told = client.map_or_else(
            |problem| problem.code().to_owned(),
            |client| client.status().to_string(),
        );
        Ok::<_, std::convert::Infallible>(Response::new(Bytes::from(told)))
    });
    let request = Request::new(String::new());
    let response = stream
        .layer()
        .layer(service)
        .oneshot(request)
        .await
        .unwrap();
    if response.status().is_success() {
        return String::from_utf8(response.into_body().to_vec()).unwrap();
    }
    let problem: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
    problem["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_clock_that_is_set_back_prolongs_no_servers_attestation() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let client = reqwest_client(&attested);
    let response = client.get(server.url("/")).send().await.unwrap();
    world.clock.set_back(DAY);
    assert!(response.attestation(&attested).is_ok());
    tokio::time::pause();
    advance(AGE).await;
    let expired = response.attestation(&attested).unwrap_err();
    assert_eq!(expired, LookupError::Expired);
}

#[tokio::test]
async fn a_servers_attestation_that_was_seen_to_expire_is_not_good_again() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let client = reqwest_client(&attested);
    let response = client.get(server.url("/")).send().await.unwrap();
    for jump in [Clock::advance, Clock::set_back] {
        jump(&world.clock, DAY);
        let expired = response.attestation(&attested).unwrap_err();
        assert_eq!(expired, LookupError::Expired);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_ends_streams_after_the_grace() {
    for jump in [AGE, DAY, YEAR] {
        let world = World::new();
        let (mut near, mut far) = pair(&world, mutual(&world)).await;
        world.clock.advance(jump);
        assert!(passes(&mut near, &mut far).await);
        // Back again: what has expired stays so.
        world.clock.set_back(jump);
        advance(DEFAULT_GRACE).await;
        assert!(!passes(&mut near, &mut far).await);
        assert!(!passes(&mut far, &mut near).await);
    }
}

/// Whose peer takes nothing, of a stream that nobody reads. The next look at the clock finds it out.
#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_ends_a_write_and_a_flush_that_wait() {
    for flushes in [false, true] {
        let world = World::new();
        let (mut near, _far) = pair(&world, mutual(&world)).await;
        let filling = async {
            loop {
                near.write_all(&[0; 1024]).await.unwrap();
            }
        };
        assert!(timeout(SECOND, filling).await.is_err());
        world.clock.advance(DAY);
        let waiting = async {
            match flushes {
                true => near.flush().await,
                false => near.write_all(&[0; 1024]).await,
            }
        };
        let ended = timeout(CLOCK_LOOK + DEFAULT_GRACE + SECOND, waiting).await;
        assert!(ended.expect("it ends").is_err());
    }
}

/// Seen by a request, or by the bytes of a stream.
#[tokio::test(start_paused = true)]
async fn an_attestation_that_was_seen_to_expire_is_not_good_again_when_the_clock_goes_back() {
    for by_request in [true, false] {
        let world = World::new();
        let (mut near, mut far) = pair(&world, mutual(&world)).await;
        world.clock.advance(DAY);
        if by_request {
            assert_eq!(told(&far).await, Problem::Expired.code());
        } else {
            assert!(passes(&mut near, &mut far).await);
        }
        world.clock.set_back(DAY);
        assert_eq!(told(&far).await, Problem::Expired.code());
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_by_less_than_the_lifetime_ends_nothing() {
    let world = World::new();
    let (mut near, mut far) = pair(&world, mutual(&world)).await;
    world.clock.advance(AGE - SECOND);
    assert!(passes(&mut near, &mut far).await);
    advance(DEFAULT_GRACE * 2).await;
    assert!(passes(&mut near, &mut far).await);
    assert_eq!(told(&far).await, "affirming");
}

/// A clock that does not know the time.
#[derive(Debug)]
struct NoTime;

impl TimeProvider for NoTime {
    fn current_time(&self) -> Option<UnixTime> {
        None
    }
}

#[tokio::test]
async fn without_time_nobody_is_accepted() {
    let world = World::new();
    let attesting = ServerTerms::new().attester(world.server_device.clone());
    for terms in [mutual(&world), attesting] {
        let mut tls = world.server_tls();
        tls.time_provider = Arc::new(NoTime);
        let acceptor = ServerAcceptor::new(tls, terms).unwrap();
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let terms = terms.attester(world.client_device.clone());
        let client = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
        let (near, far) = tokio::io::duplex(100_000);
        let name = "localhost".try_into().unwrap();
        let (_, accepted) = tokio::join!(client.connect(name, near), acceptor.accept(far));
        let refused = accepted.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::Expired(Fault::Local)));
    }
}

/// Clients whose connections look expired are told so, and come anew.
#[tokio::test]
async fn clients_of_a_clock_that_is_set_forward_move_to_new_connections() {
    moves_on(|world| world.clock.advance(YEAR)).await;
}

async fn moves_on(jump: impl Fn(&World)) {
    for http in [atls_reqwest::Http::One, atls_reqwest::Http::Two] {
        let world = World::new();
        let server = world.serve(mutual(&world)).await;
        let builder = world.client().require_peer(world.about_servers());
        let builder = builder.attester(world.client_device.clone()).http(http);
        let attested = builder.build().unwrap();
        let client = reqwest_client(&attested);
        let url = server.url("/attested");
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
        jump(&world);
        let mut accepted = false;
        for _ in 0..AT_MOST {
            // A request that crosses with the end of its connection fails, and is the client's to repeat.
            if let Ok(response) = client.get(&url).send().await {
                let fresh = response.attestation(&attested).is_ok();
                accepted = response.status() == 200 && fresh;
            }
            if accepted {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert!(accepted, "{http:?}: the client is still refused");
    }
}
