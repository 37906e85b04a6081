//! Requests of clients that are not attested, or no longer, on connections that had their event before.

use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestationRejection;
use atls_axum::AttestationResult;
use atls_tower::AttestationLayer;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerTerms;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use end_to_end::World;
use end_to_end::http2;
use end_to_end::lenient;
use end_to_end::reqwest_client;
use test_support::Log;
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::log::assert_one;
use crate::log::capture;

#[tokio::test]
async fn a_request_of_an_unattested_client_is_told_once_by_whoever_refuses_it() {
    let (log, _guard) = capture();
    let world = World::new();
    let server = world.serve_attested().await;
    let client = reqwest_client(&world.demanding());
    for path in ["/attested", "/extractor"] {
        let refused = client.get(server.url(path)).send().await.unwrap();
        assert_eq!(refused.status(), 403);
        let words = [
            "network.peer.address=127.0.0.1",
            "side=\"server\"",
            "error.type=\"unattested\"",
            "fault=peer",
        ];
        assert_one(&requests(&log), "INFO", &words);
    }
}

/// By the connection's own layer, and where clients may come without, by the extractor. A client may ask as often as it likes.
#[tokio::test]
async fn requests_after_the_end_of_an_attestation_are_told_and_do_not_fill_the_log() {
    let (log, _guard) = capture();
    for required in [true, false] {
        let world = World::new();
        let about = lenient(&world.client_device).max_age(MINUTE);
        let about = Arc::new(about.build().unwrap());
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let terms = match required {
            true => terms.require_peer(about),
            false => terms.ask_peer(about),
        };
        let mut tls = world.server_tls();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let server = world.serve_with(terms, tls).await;
        let terms = ClientTerms::new()
            .require_peer(world.about_servers())
            .attester(world.client_device.clone());
        let connector = ClientConnector::new(world.client_tls(&["h2"]), terms).unwrap();
        let socket = TcpStream::connect(server.address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let mut client = connector.connect(name, socket).await.unwrap();
        http2::begin(&mut client).await.unwrap();
        let told = http2::ask(&mut client, 1, "/extractor").await.unwrap();
        assert_eq!(told, "extracted");
        // No timer has passed: the requests find it out.
        world.clock.advance(MINUTE);
        for request in 1..=20 {
            let stream = 2 * request + 1;
            let told = http2::ask(&mut client, stream, "/extractor").await.unwrap();
            assert!(told.contains("attestation-expired"), "{told}");
        }
        let events = requests(&log);
        let at = |level: &str| events.iter().filter(|it| it.contains(level)).count();
        assert_eq!((at(" INFO "), at(" DEBUG ")), (8, 12), "{required}");
        for word in ["error.type=\"expired\"", "expired_at_s=", "127.0.0.1"] {
            assert!(events.iter().all(|it| it.contains(word)), "{events:#?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_is_served_all_the_same_is_told_as_no_refusal() {
    let (log, _guard) = capture();
    let serves = async |peer: Result<AttestationResult, AttestationRejection>| match peer {
        Ok(_) => "attested",
        Err(_) => "served all the same",
    };
    let app = Router::new()
        .route("/", get(serves))
        .layer(AttestationLayer::unattested());
    let request = http::Request::get("/").body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
    assert!(requests(&log).is_empty());
}

/// The events of requests.
fn requests(log: &Log) -> Vec<String> {
    let mut events = log.take();
    events.retain(|event| event.contains("request is refused"));
    events
}

const MINUTE: Duration = Duration::from_secs(60);
