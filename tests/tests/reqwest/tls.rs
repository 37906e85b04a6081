//! TLS 1.2, tickets, and servers that do not attest.

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_reqwest::AttestedBuilder;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::Http;
use atls_reqwest::reqwest;
use atls_reqwest::rustls;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::refusal;
use end_to_end::reqwest_client;
use end_to_end::time::PATIENCE;
use end_to_end::time::wait;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::clients::configured;

#[tokio::test]
async fn a_server_of_tls_1_2_is_refused() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = rustls::ServerConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let accepted = tokio::spawn(async move {
        acceptor
            .accept(listener.accept().await.unwrap().0)
            .await
            .map(drop)
    });
    let client = reqwest_client(&world.demanding());
    let error = client
        .get(format!("https://localhost:{port}/"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert!(accepted.await.unwrap().is_err());
}

#[tokio::test]
async fn tickets_are_never_used() {
    // A server of somebody else's, that gives tickets and would resume: every connection is full all the same.
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tls = world.server_tls();
    tls.send_tls13_tickets = 4;
    let (tls, key, device) = (
        Arc::new(tls),
        world.stolen_key(),
        world.server_device.clone(),
    );
    let kinds = tokio::spawn(async move {
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (socket, _) = listener.accept().await.unwrap();
            let mut link = Link::accept(tls.clone(), socket, key.clone())
                .await
                .unwrap();
            let tokio_rustls::TlsStream::Server(stream) = &link.tls else {
                panic!("a server")
            };
            kinds.push(stream.get_ref().1.handshake_kind());
            let (_, request) = link.read().await.unwrap();
            let challenge = atls_core::exchange::Challenge::receive(&link, &request).unwrap();
            let cmw = atls_core::Attester::attest(&*device, challenge.to_attest().unwrap())
                .await
                .unwrap();
            link.write(adversary::AUTHENTICATOR, &challenge.answer(&cmw).unwrap())
                .await
                .unwrap();
            link.read().await.unwrap();
            let io = TokioIo::new(link.tls);
            let app = axum::Router::new().route("/", axum::routing::get(async || "hello"));
            let app = hyper_util::service::TowerToHyperService::new(app);
            let connection = hyper::server::conn::http1::Builder::new();
            connection.serve_connection(io, app).await.unwrap();
        }
        kinds
    });
    let client = reqwest_client(&configured(&world, Http::One));
    for _ in 0..2 {
        let request = client
            .get(format!("https://localhost:{port}/"))
            .header("connection", "close");
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), "hello");
    }
    assert_eq!(kinds.await.unwrap(), [Some(rustls::HandshakeKind::Full); 2]);
}

#[tokio::test]
async fn an_ordinary_https_server_is_named_as_such() {
    let world = World::new();
    for (http, alpn) in [(Http::Two, "h2"), (Http::One, "http/1.1")] {
        let port = end_to_end::ordinary_server(&world, alpn).await;
        let client = reqwest_client(&configured(&world, http));
        let error = client
            .get(format!("https://localhost:{port}/"))
            .send()
            .await
            .unwrap_err();
        assert!(
            exchange_error(&error).is_not_attested_tls(),
            "{alpn}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_stalled_server_is_given_up_by_our_own_deadline() {
    let world = World::new();
    let (server, gate) = stalled(&world).await;
    let attested = demanding(&world).deadline(LIMIT).build().unwrap();
    let asking = tokio::spawn(reqwest_client(&attested).get(server.url("/")).send());
    gate.reached_by(1).await;
    wait(LIMIT).await;
    let error = asking.await.unwrap().unwrap_err();
    assert!(exchange_error(&error).is_timeout());
    // And one that does not even answer in TLS.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", silent.local_addr().unwrap().port());
    let hasty = demanding(&world).deadline(Duration::from_millis(200));
    let client = reqwest_client(&hasty.build().unwrap());
    let error = client.get(url).send().await.unwrap_err();
    assert!(refusal(&error).is_timeout());
}

#[tokio::test]
async fn the_applications_connect_timeout_covers_attestation() {
    let world = World::new();
    let (server, gate) = stalled(&world).await;
    let attested = demanding(&world).deadline(PATIENCE).build().unwrap();
    let builder = reqwest::Client::builder().connect_timeout(LIMIT);
    let client = builder.attested(&attested).build().unwrap();
    let asking = tokio::spawn(client.get(server.url("/")).send());
    gate.reached_by(1).await;
    wait(LIMIT).await;
    let error = asking.await.unwrap().unwrap_err();
    assert!(error.is_connect() && error.is_timeout());
}

/// A server whose device stands at the gate, and that has longer than its clients.
async fn stalled(world: &World) -> (Served, Gate) {
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new().attester(Arc::new(device));
    (world.serve(terms.deadline(PATIENCE)).await, gate)
}

fn demanding(world: &World) -> AttestedBuilder {
    world.client().require_peer(world.about_servers())
}

/// More than it takes to come to the device, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(30);
