//! Requests that a route refuses.

use std::sync::Arc;

use atls_core::StandardPolicy;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerTerms;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::middleware::Next;
use axum::routing::get;
use end_to_end::World;
use end_to_end::reqwest_client;
use test_support::Log;
use tower::Layer as _;
use tower::ServiceExt;
use tracing::Instrument;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::log::assert_one;
use crate::log::capture;
use crate::scenes::behind_a_balancer;

#[tokio::test]
async fn a_route_that_refuses_says_why_with_the_reason_and_the_fault() {
    let (log, _guard) = capture();
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

/// An attested client may ask as often as it likes.
#[tokio::test]
async fn a_client_cannot_fill_the_log_with_requests_that_a_route_refuses() {
    let (log, _guard) = capture();
    let device = Arc::new(atls_sim::SimAttester::generate().unwrap());
    let strict = RequireAttestationLayer::new().with_policy(StandardPolicy::new());
    let handler = tower::service_fn(async |_: http::Request<String>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(Bytes::new()))
    });
    for _ in 0..2 {
        let accepting = demo::trusting(&device).unwrap();
        let connection = atls_tower::testing::attested(demo::provider(), device.clone(), accepting);
        let service = connection.await.unwrap().layer(strict.layer(handler));
        log.take();
        for _ in 0..100 {
            let request = http::Request::new(String::new());
            let response = service.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), 403);
        }
        let events = routes(&log);
        let at = |level: &str| events.iter().filter(|it| it.contains(level)).count();
        assert_eq!((at(" INFO "), at(" DEBUG ")), (8, 92));
    }
}

/// Who refused whom, of a request: by the application's span or without one.
#[tokio::test]
async fn a_route_that_refuses_names_side_and_client_with_nothing_set_up() {
    let (log, _guard) = capture();
    asked_by_an_attested_client().await;
    let words = [
        "network.peer.address=127.0.0.1 network.peer.port=",
        "client.address=192.0.2.7 client.port=7",
        "side=\"server\"",
        "error.type=\"policy_simulated\"",
        "fault=peer",
    ];
    assert_one(&routes(&log), "INFO", &words);
}

#[tokio::test]
async fn a_route_that_refuses_does_so_within_the_applications_span() {
    let (log, _guard) = Log::start(Targets::new().with_default(LevelFilter::INFO));
    asked_by_an_attested_client().await;
    let events = routes(&log);
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    let (request, connection) = (event.find("request{path="), event.find("connection{"));
    assert!(request.unwrap() < connection.unwrap(), "{event}");
}

#[tokio::test]
async fn the_addresses_of_a_request_are_left_out_by_the_filter_of_those_of_a_connection() {
    let ours = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("atls_axum::connection", LevelFilter::OFF);
    let (log, _guard) = Log::start(ours);
    asked_by_an_attested_client().await;
    let events = routes(&log);
    assert_one(&events, "INFO", &["side=\"server\"", "policy_simulated"]);
    assert!(!events[0].contains("127.0.0.1"), "{events:?}");
    assert!(!events[0].contains("192.0.2.7"), "{events:?}");
}

/// The events of routes.
fn routes(log: &Log) -> Vec<String> {
    let mut events = log.take();
    events.retain(|event| event.contains("refused by this route"));
    events
}

/// A server behind a load balancer, one of whose routes takes no simulated client.
async fn asked_by_an_attested_client() {
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    let (listener, url) = behind_a_balancer(&world, terms).await;
    let strict = RequireAttestationLayer::new().with_policy(StandardPolicy::new());
    let spanned = async |request: Request, next: Next| {
        let span = tracing::info_span!("request", path = request.uri().path());
        next.run(request).instrument(span).await
    };
    let router = Router::new()
        .route("/", get(async || "hello"))
        .route_layer(strict)
        .layer(axum::middleware::from_fn(spanned));
    tokio::spawn(async move { atls_axum::serve(listener, router).await });
    let answer = reqwest_client(&world.mutual()).get(url).send().await;
    assert_eq!(answer.unwrap().status(), 403);
}
