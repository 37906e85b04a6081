//! `AttestedHttps` with hyper-util's client: the result is in each response.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::ear::Tier;
use atls_core::policy::Candidate;
use atls_tower::AttestedHttps;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerAttestation;
use atls_tower::ServerTerms;
use atls_tower::Stage;
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::Response;
use axum::http::Uri;
use axum::http::Version;
use end_to_end::World;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::Error;
use hyper_util::rt::TokioExecutor;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tower::Service;
use tower::ServiceExt;

#[tokio::test]
async fn each_response_brings_the_attestation_of_its_connection() {
    let world = World::new();
    let server = world.serve_attested().await;
    for (alpn, version) in [("h2", Version::HTTP_2), ("http/1.1", Version::HTTP_11)] {
        let client = client(connector(&world, alpn));
        let mut first: Option<Arc<PeerAttestation>> = None;
        for _ in 0..2 {
            let response = get(&client, &server.url("/peer")).await.unwrap();
            assert_eq!(response.version(), version);
            let uri = server.url("/peer").parse().unwrap();
            let peer = ServerAttestation::of(response.extensions(), &uri).unwrap();
            assert_eq!(peer.status(), Tier::Affirming);
            // One connection, hence one decision.
            let first = first.get_or_insert_with(|| peer.clone());
            assert!(Arc::ptr_eq(first, peer));
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, "unattested");
        }
    }
}

#[tokio::test]
async fn an_ordinary_https_server_is_named_as_such() {
    let world = World::new();
    for alpn in ["h2", "http/1.1"] {
        let port = end_to_end::ordinary_server(&world, alpn).await;
        let client = client(connector(&world, alpn));
        let refused = get(&client, &format!("https://localhost:{port}/")).await;
        let refused = refused.unwrap_err();
        assert!(attestation_error(&refused).is_not_attested_tls(), "{alpn}");
    }
}

#[tokio::test]
async fn a_route_that_wants_more_says_so() {
    let world = World::new();
    let device = world.client_device.clone();
    let attested = atls_axum::testing::attested(demo::provider(), device, world.about_clients());
    let attested = attested.await.unwrap();
    let strict = |_: &Candidate| Err(PolicyViolation::custom("never enough"));
    let app = Router::new()
        .route("/", axum::routing::get(async || "secret"))
        .route_layer(RequireAttestationLayer::new().with_policy(strict))
        .layer(attested);
    let refused = app.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(refused.status(), 403);
    let body = refused.into_body().collect().await.unwrap().to_bytes();
    let problem = String::from_utf8(body.to_vec()).unwrap();
    assert!(problem.contains("attestation-insufficient"), "{problem}");
    assert!(!problem.contains("never enough"), "no detail of the policy");
}

#[tokio::test]
async fn a_client_that_attests_is_known_to_the_server() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.require_peer(world.about_clients())).await;
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let terms = terms.attester(world.client_device.clone());
    let connector = ClientConnector::new(world.client_tls(&["h2"]), terms).unwrap();
    let response = get(&client(AttestedHttps::new(connector)), &server.url("/peer"))
        .await
        .unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "affirming");
}

#[tokio::test]
async fn only_https_is_connected_to() {
    let world = World::new();
    let server = world.serve_attested().await;
    let http = server.url("/").replace("https:", "http:");
    let refused = get(&client(connector(&world, "http/1.1")), &http)
        .await
        .unwrap_err();
    assert!(refused.is_connect());
    assert!(attestation_error(&refused).is_local());
    // For tonic, which keeps https for TLS of its own: attested all the same.
    let lenient = connector(&world, "http/1.1").also_for_http_uris();
    let response = get(&client(lenient), &http).await.unwrap();
    let uri = http.parse().unwrap();
    assert!(ServerAttestation::of(response.extensions(), &uri).is_some());
}

#[tokio::test]
async fn a_server_that_does_not_attest_gets_no_request() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let refused = get(&client(connector(&world, "h2")), &server.url("/"))
        .await
        .unwrap_err();
    assert!(attestation_error(&refused).is_peer_unattested());
    assert_eq!(server.hits(), 0);
}

/// Its backlog is full, so it answers nothing to whoever connects. Of a name with several addresses, the next one could be tried then.
#[cfg(target_os = "linux")]
#[tokio::test(start_paused = true)]
async fn an_address_that_answers_nothing_does_not_take_all_of_the_time() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let _first = tokio::net::TcpStream::connect(address).await.unwrap();
    let world = World::new();
    let connect = |mut https: AttestedHttps| {
        let connecting = https.call(format!("https://{address}/").parse().unwrap());
        async { connecting.await.map(drop).unwrap_err() }
    };
    let by_itself = connect(connector(&world, "h2")).await;
    assert!(!by_itself.is::<atls_tower::Error>(), "{by_itself}");
    let longer = connector(&world, "h2").with_connect_timeout(Duration::from_secs(60));
    let by_deadline = connect(longer).await;
    let by_deadline = by_deadline.downcast_ref::<atls_tower::Error>().unwrap();
    assert_eq!(by_deadline.stage(), Some(Stage::Connect));
}

#[tokio::test]
async fn a_uri_without_usable_host_is_refused() {
    let world = World::new();
    for uri in ["https://a_b.c..d/", "https://[::1/"] {
        let Ok(parsed) = uri.parse::<Uri>() else {
            continue;
        };
        let refused = client(connector(&world, "h2"))
            .get(parsed)
            .await
            .unwrap_err();
        assert!(refused.is_connect(), "{uri}");
    }
}

#[tokio::test]
async fn an_address_of_ipv6_is_a_name_like_others() {
    let world = World::new();
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else {
        println!("skipped: this machine has no IPv6 loopback");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = atls_tower::ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = atls_axum::AttestedListener::new(listener, acceptor).unwrap();
    let _server = end_to_end::Served::over(listener);
    let url = format!("https://[::1]:{port}/");
    let response = get(&client(connector(&world, "h2")), &url).await.unwrap();
    let uri = url.parse().unwrap();
    assert!(ServerAttestation::of(response.extensions(), &uri).is_some());
}

#[tokio::test(start_paused = true)]
async fn both_ends_of_a_stream_end_when_the_attestation_and_grace_have() {
    let (mut client, mut server) = both_ends().await;
    server.write_all(b"before").await.unwrap();
    server.flush().await.unwrap();
    let mut bytes = [0; 6];
    client.read_exact(&mut bytes).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600 + 9)).await;
    server.write_all(b"within").await.unwrap();
    server.flush().await.unwrap();
    client.read_exact(&mut bytes).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let ended = client.read_exact(&mut bytes).await.unwrap_err();
    assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
    let ended = client.write_all(b"more").await.unwrap_err();
    assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
    // The server knows by the client's verdict.
    let ended = server.write_all(b"after!").await.unwrap_err();
    assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn the_end_wakes_a_waiting_reader_whatever_its_writer_does() {
    let (client, _server) = both_ends().await;
    let (mut reading, mut writing) = tokio::io::split(client);
    let reader = tokio::spawn(async move { reading.read_u8().await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let writer = tokio::spawn(async move {
        writing.write_all(b"once").await.unwrap();
        writing.flush().await.unwrap();
        writing
    });
    let _writing = writer.await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600 + 11)).await;
    assert!(reader.is_finished());
    let ended = reader.await.unwrap().unwrap_err();
    assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn the_end_wakes_a_writer_whose_peer_does_not_read() {
    let (mut client, _server) = both_ends().await;
    let writer = tokio::spawn(async move {
        loop {
            if let Err(error) = client.write_all(&[0; 10_000]).await {
                return error;
            }
        }
    });
    tokio::time::sleep(Duration::from_secs(3600 + 11)).await;
    assert!(writer.is_finished());
    let ended = writer.await.unwrap();
    assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
}

/// An attested server and a client that demands it, over a pipe.
async fn both_ends() -> (AttestedStream<DuplexStream>, AttestedStream<DuplexStream>) {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = atls_tower::ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (near, far) = tokio::io::duplex(100_000);
    let name = "localhost".try_into().unwrap();
    let (client, server) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    (client.unwrap(), server.unwrap())
}

fn connector(world: &World, alpn: &str) -> AttestedHttps {
    let terms = ClientTerms::new().require_peer(world.about_servers());
    AttestedHttps::new(ClientConnector::new(world.client_tls(&[alpn]), terms).unwrap())
}

fn client(connector: AttestedHttps) -> Client<AttestedHttps, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).build(connector)
}

async fn get(
    client: &Client<AttestedHttps, Empty<Bytes>>,
    url: &str,
) -> Result<Response<Incoming>, Error> {
    client.get(url.parse().unwrap()).await
}

fn attestation_error(error: &Error) -> &atls_tower::Error {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return found;
        }
        source = error.source();
    }
    panic!("{error:?}");
}
