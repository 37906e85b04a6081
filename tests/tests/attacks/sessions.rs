//! Tickets, early data, passports and pools.

use std::sync::Arc;

use adversary::Link;
use atls_core::AppraisalError;
use atls_core::Refusal;
use atls_core::exchange::Challenge;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_tower::ServerTerms;
use end_to_end::PassportOffice;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::refusal;
use end_to_end::reqwest_client;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::middle::link_pair;

#[tokio::test]
async fn tickets_are_not_given() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let socket = TcpStream::connect(server.address).await.unwrap();
    let tls = Arc::new(world.client_tls(&["http/1.1"]));
    let mut link = Link::connect(tls, socket, None).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(
        &mut link.tls,
        b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    )
    .await
    .unwrap();
    assert!(link.drain().await.ends_with(b"hello"));
    let tokio_rustls::TlsStream::Client(stream) = &link.tls else {
        panic!("a client");
    };
    assert_eq!(stream.get_ref().1.tls13_tickets_received(), 0);
}

/// A client that would resume and send early data if it could finds that it cannot: no ticket, and no early data on a second
/// connection of the very same configuration.
#[tokio::test]
async fn early_data_and_resumption_are_not_possible() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let mut tls = world.client_tls(&["http/1.1"]);
    tls.enable_early_data = true;
    tls.resumption = rustls::client::Resumption::in_memory_sessions(8);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls)).early_data(true);
    for _ in 0..2 {
        let socket = TcpStream::connect(server.address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let mut stream = connector.connect(name, socket).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, request)
            .await
            .unwrap();
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        assert!(answer.ends_with(b"hello"));
        let connection = stream.get_ref().1;
        assert!(!connection.is_early_data_accepted());
        assert_eq!(
            connection.handshake_kind(),
            Some(rustls::HandshakeKind::Full)
        );
    }
}

/// P1: results instead of Evidence. The issuer answers the attester's own binder; the relying party wants its own.
#[tokio::test]
async fn a_passport_of_another_connection_is_refused() {
    let world = World::new();
    let office = PassportOffice::new();
    let now = rustls::time_provider::TimeProvider::current_time(&*world.clock).unwrap();
    let party = atls_core::RelyingParty::builder()
        .verifier(office.verifier())
        .build()
        .unwrap();
    let (near, far) = link_pair(&world).await;
    let ask = |link: &Link| atls_core::exchange::request(link, &demo::provider(), None).unwrap();
    let (request, pending) = ask(&near);
    let challenge = Challenge::receive(&far, &request).unwrap();
    let passport = office.issue(challenge.to_attest().unwrap().bound().as_bytes(), now);
    let authenticator = challenge.answer(&passport).unwrap();
    assert!(
        party
            .appraise(pending.finish(&authenticator).unwrap(), now)
            .await
            .is_ok()
    );
    // The same passport, on another connection of the same two.
    let (near, far) = link_pair(&world).await;
    let (request, pending) = ask(&near);
    let authenticator = Challenge::receive(&far, &request)
        .unwrap()
        .answer(&passport)
        .unwrap();
    let refused = party
        .appraise(pending.finish(&authenticator).unwrap(), now)
        .await
        .unwrap_err();
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::NotBound));
}

#[tokio::test]
async fn pooling_never_carries_a_decision_to_another_connection() {
    let world = World::new();
    let mut server = world.serve_attested().await;
    let attested = world
        .client()
        .require_peer(world.about_servers())
        .http(Http::One)
        .build()
        .unwrap();
    let client = reqwest_client(&attested);
    let response = client.get(server.url("/")).send().await.unwrap();
    assert!(response.attestation(&attested).is_ok());
    response.text().await.unwrap();
    // The same address is now served by somebody who has the certificate and no attestation.
    let address = server.address;
    server.stop();
    server.task.await.unwrap().unwrap();
    let listener = TcpListener::bind(address).await.unwrap();
    let acceptor =
        atls_tower::ServerAcceptor::new(world.server_tls(), ServerTerms::plain()).unwrap();
    let impostor = Served::over(atls_axum::AttestedListener::new(listener, acceptor).unwrap());
    let error = client.get(impostor.url("/")).send().await.unwrap_err();
    assert!(refusal(&error).in_exchange().unwrap().is_peer_unattested());
    assert_eq!(impostor.hits(), 0);
}
