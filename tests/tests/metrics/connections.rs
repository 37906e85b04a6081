//! The numbers of connections and requests.

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_axum::AttestationRejection;
use atls_axum::AttestationResult;
use atls_tower::AttestationLayer;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::forward::ForwardResultLayer;
use atls_tower::forward::ForwardedBody;
use atls_tower::forward::ResultForwarder;
use atls_tower::weaker::Mode;
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use end_to_end::Hanging;
use end_to_end::World;
use end_to_end::reqwest_client;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;
use tower::Layer;
use tower::ServiceExt;

use crate::recorded::Recorded;

const ATTESTED: [&str; 2] = [r#"outcome="attested""#, r#"binding="connection""#];
const SERVER: &str = r#"side="server""#;
const CLIENT: &str = r#"side="client""#;

#[tokio::test]
async fn a_connection_counts_once_at_each_end_and_is_gone_when_it_is_closed() {
    let recorded = Recorded::begin();
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients());
    let mut server = world.serve(terms).await;
    let client = reqwest_client(&world.mutual());
    for _ in 0..2 {
        let response = client.get(server.url("/")).send().await.unwrap();
        response.text().await.unwrap();
    }
    for side in [SERVER, CLIENT] {
        let labels = [side, ATTESTED[0], ATTESTED[1], r#"reason="none""#];
        assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
        let count = recorded.value("atls_attestation_valid_seconds_count", &[side]);
        assert_eq!(count, 1.0);
    }
    let live = [SERVER, r#"binding="connection""#];
    assert_eq!(recorded.value("atls_connections", &live), 1.0);
    let expires = recorded.value("atls_next_expiry_timestamp_seconds", &[SERVER]);
    assert!(expires > 1_800_000_000.0, "{expires}");
    assert!(recorded.value("atls_work_limit", &[r#"work="appraisal""#]) >= 1.0);
    for stage in ["handshake", "exchange", "attestation", "appraisal"] {
        let stage = format!("stage=\"{stage}\"");
        assert!(recorded.value("atls_stage_seconds_count", &[&stage]) >= 1.0);
    }
    drop(client);
    server.stop();
    (&mut server.task).await.unwrap().unwrap();
    assert_eq!(recorded.value("atls_connections", &[SERVER]), 0.0);
    assert_eq!(recorded.value("atls_pending_connections", &[]), 0.0);
    let expires = recorded.value("atls_next_expiry_timestamp_seconds", &[SERVER]);
    assert_eq!(expires, 0.0);
}

#[tokio::test]
async fn a_refusal_counts_by_its_reason_and_whose_fault_it_is() {
    let recorded = Recorded::begin();
    let world = World::new();
    let server = world.serve_attested().await;
    // Knows another device than the server's.
    let attested = world.client().require_peer(world.about_clients());
    let client = reqwest_client(&attested.build().unwrap());
    client.get(server.url("/")).send().await.unwrap_err();
    let labels = [
        CLIENT,
        r#"outcome="refused""#,
        r#"fault="peer""#,
        r#"reason="unknown_key""#,
    ];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_counts_as_a_failure() {
    let recorded = Recorded::begin();
    let world = World::new();
    let server = world.serve_attested().await;
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    let plain = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut socket, plain)
        .await
        .unwrap();
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut rest).await;
    let labels = [SERVER, r#"outcome="failed""#, r#"reason="tls""#];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
}

#[tokio::test]
async fn an_answered_challenge_of_acme_counts_as_one_and_as_no_failure() {
    let recorded = Recorded::begin();
    let world = World::new();
    let challenges = Arc::new(SingleCertAndKey::from(world.stolen_key()));
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.tls_alpn_01(challenges)).await;
    let socket = TcpStream::connect(server.address).await.unwrap();
    let tls = Arc::new(world.client_tls(&["acme-tls/1"]));
    let mut link = Link::connect(tls, socket, None).await.unwrap();
    link.drain().await;
    let labels = [
        SERVER,
        r#"outcome="challenge""#,
        r#"reason="acme_challenge""#,
    ];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
    assert_eq!(recorded.value("atls_connections_total", &[SERVER]), 1.0);
    assert_eq!(recorded.value("atls_connections", &[SERVER]), 0.0);
}

#[tokio::test]
async fn a_request_that_a_route_refuses_counts_by_its_problem() {
    let recorded = Recorded::begin();
    let world = World::new();
    let server = world.serve_attested().await;
    let client = reqwest_client(&world.demanding());
    let refused = client.get(server.url("/attested")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let labels = [r#"problem="attestation-required""#];
    assert_eq!(recorded.value("atls_requests_refused_total", &labels), 1.0);
}

/// Whoever answers: an extractor, a layer that states results, or the listener.
#[tokio::test]
async fn every_request_that_is_refused_counts_once_by_its_problem() {
    let recorded = Recorded::begin();
    let world = World::new();
    let counted = |problem| {
        let labels = [problem];
        recorded.value("atls_requests_refused_total", &labels)
    };
    let server = world.serve_attested().await;
    let client = reqwest_client(&world.demanding());
    let refused = client.get(server.url("/extractor")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(counted(r#"problem="attestation-required""#), 1.0);

    let terms = ServerTerms::new().require_peer(world.about_clients());
    let server = world.serve(terms).await;
    let client = world.plain_client(&["h2"]);
    let refused = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(counted(r#"problem="attested-tls-required""#), 1.0);

    // No layer said who the client is.
    let hands_on = tower::service_fn(async |_: http::Request<ForwardedBody<String>>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(axum::body::Bytes::new()))
    });
    let key = demo::provider()
        .key_provider
        .load_private_key(world.issued.key.clone_key());
    let signer = atls_core::ear::EarSigner::new(&*key.unwrap()).unwrap();
    let forwarder = ResultForwarder::new(signer, &demo::provider(), "gateway", "orders");
    let service = ForwardResultLayer::new(Arc::new(forwarder)).layer(hands_on);
    let refused = service.oneshot(http::Request::new(String::new())).await;
    assert_eq!(refused.unwrap().status(), 500);
    assert_eq!(counted(r#"problem="attestation-unknown""#), 1.0);
}

#[tokio::test]
async fn a_request_that_is_served_without_what_was_extracted_counts_as_no_refusal() {
    let recorded = Recorded::begin();
    let serves = async |peer: Result<AttestationResult, AttestationRejection>| match peer {
        Ok(_) => "attested",
        Err(_) => "served all the same",
    };
    let refuses = async |peer: Result<AttestationResult, AttestationRejection>| peer.map(|_| "");
    let app = Router::new()
        .route("/serves", get(serves))
        .route("/refuses", get(refuses))
        .layer(AttestationLayer::unattested());
    for (path, status, counted) in [("/serves", 200, 0.0), ("/refuses", 403, 1.0)] {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        let answer = app.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), status);
        let refused = recorded.value("atls_requests_refused_total", &[]);
        assert_eq!(refused, counted, "{path}");
    }
}

#[tokio::test]
async fn a_connection_that_is_given_up_counts_as_abandoned_and_as_nothing_else() {
    let recorded = Recorded::begin();
    let Hanging { client, server } = Hanging::begin().await;
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    client.await.unwrap().unwrap_err();
    let labels = [
        SERVER,
        r#"outcome="abandoned""#,
        r#"fault="none""#,
        r#"reason="abandoned""#,
    ];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
    assert_eq!(recorded.value("atls_connections_total", &[SERVER]), 1.0);
    let work = [r#"work="attestation""#];
    assert_eq!(recorded.value("atls_work_in_progress", &work), 0.0);
}

#[tokio::test]
async fn a_connection_counts_by_the_mode_in_which_the_peer_attests() {
    let recorded = Recorded::begin();
    let world = World::new();
    let server = world.serve_attested().await;
    // Of another mode than the server.
    let attested = world.client().require_peer(world.about_servers());
    let attested = attested.servers_attest(Mode::InHandshake).build().unwrap();
    reqwest_client(&attested)
        .get(server.url("/"))
        .send()
        .await
        .unwrap_err();
    let labels = [CLIENT, r#"mode="in_handshake""#, r#"reason="unattested""#];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
    // The server hears of it a little later.
    while recorded.value("atls_connections_total", &[SERVER]) < 1.0 {
        tokio::task::yield_now().await;
    }
    let labels = [SERVER, r#"mode="after_handshake""#];
    assert_eq!(recorded.value("atls_connections_total", &labels), 1.0);
}

#[tokio::test]
async fn limits_add_up_and_go_with_what_they_limit() {
    let recorded = Recorded::begin();
    let world = World::new();
    let limit = || recorded.value("atls_work_limit", &[r#"work="attestation""#]);
    let accepting = || {
        let terms = ServerTerms::new().attester(world.server_device.clone());
        ServerAcceptor::new(world.server_tls(), terms).unwrap()
    };
    let first = accepting();
    let one = limit();
    assert!(one >= 1.0, "{one}");
    let second = accepting();
    // Clones share the limit.
    let clone = second.clone();
    assert_eq!(limit(), one + one);
    drop(first);
    drop(second);
    assert_eq!(limit(), one);
    drop(clone);
    assert_eq!(limit(), 0.0);
}

#[tokio::test]
async fn a_recall_counts_once() {
    let recorded = Recorded::begin();
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    acceptor.recall(Duration::from_secs(1));
    assert_eq!(recorded.value("atls_recalls_total", &[]), 1.0);
}
