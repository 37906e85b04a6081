//! TLS 1.2, tickets, and the Evidence of the server itself.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::exchange::Challenge;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::scene::Scene;
use crate::scene::good_authenticator;

/// X2: the server's Evidence, for this very connection, in the client's place.
#[tokio::test]
async fn the_servers_own_evidence_under_the_clients_key_is_refused() {
    let world = World::new();
    // The server would even trust its own kind of device in a client.
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.require_peer(world.about_servers())).await;
    let scene = Scene { world, server };
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let (request, pending) = scene.request(&link);
    link.write(REQUEST, &request).await.unwrap();
    let (_, asked) = link.read().await.unwrap();
    let challenge = Challenge::receive(&link, &asked).unwrap();
    let (_, authenticator) = link.read().await.unwrap();
    let credential = pending.finish(&authenticator).unwrap();
    link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    let answer = challenge.answer(credential.cmw()).unwrap();
    link.write(AUTHENTICATOR, &answer).await.unwrap();
    let rest = link.drain().await;
    assert_eq!(rest, [VERDICT, 0, 0, 0, 5, 2, 0, 0, 0, 0]);
    assert_eq!(scene.server.hits(), 0);
}

/// T2: HTTP in one flight with the authenticator, while the verifier thinks.
#[tokio::test]
async fn http_behind_an_authenticator_waits_for_the_decision() {
    for accepts in [true, false] {
        let world = World::new();
        let gate = Gate::new();
        let trusted = if accepts {
            &world.client_device
        } else {
            &world.server_device
        };
        let verifier = Gated {
            inner: SimVerifier::new(trusted.trust_anchor()),
            gate: gate.clone(),
        };
        let policy = StandardPolicy::new().dangerous_accept_simulated();
        let party = RelyingParty::builder().verifier(Arc::new(verifier));
        let party = Arc::new(party.standard_policy(policy).build().unwrap());
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let server = world.serve(terms.require_peer(party)).await;
        let scene = Scene { world, server };
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let authenticator = good_authenticator(&scene, &mut link).await;
        let length = u32::try_from(authenticator.len()).unwrap().to_be_bytes();
        let http = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let flight = [&[AUTHENTICATOR], &length[..], &authenticator, http].concat();
        link.tls.write_all(&flight).await.unwrap();
        link.tls.flush().await.unwrap();
        gate.reached_by(1).await;
        assert_eq!(scene.server.hits(), 0);
        gate.open();
        let answer = link.drain().await;
        assert_eq!(answer.ends_with(b"hello"), accepts);
        assert_eq!(scene.server.hits(), usize::from(accepts));
    }
}

#[tokio::test]
async fn a_client_of_tls_1_2_is_refused_by_a_server_that_could() {
    let world = World::new();
    let mut tls = rustls::ServerConfig::builder_with_provider(demo::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    tls.time_provider = world.clock.clone();
    let server = world.serve_with(ServerTerms::plain(), tls).await;
    let tls = rustls::ClientConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(world.authority.roots().unwrap())
        .with_no_client_auth();
    let socket = TcpStream::connect(server.address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls));
    let connecting = connector.connect("localhost".try_into().unwrap(), socket);
    let Ok(mut stream) = connecting.await else {
        return;
    };
    let _ = stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    assert_eq!(server.hits(), 0);
}

/// A sibling under the same ticketer, not one of ours, gives a ticket; our server makes a full handshake all the same.
#[tokio::test]
async fn a_ticket_of_a_sibling_server_is_not_taken() {
    let world = World::new();
    let mut tls = world.server_tls();
    tls.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
    tls.send_tls13_tickets = 2;
    tls.max_early_data_size = 1000;
    let ours = world.serve_with(ServerTerms::plain(), tls.clone()).await;
    let sibling = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sibling_address = sibling.local_addr().unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let giving = tokio::spawn(async move {
        let (socket, _) = sibling.accept().await.unwrap();
        let mut stream = acceptor.accept(socket).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        stream.flush().await.unwrap();
        stream
    });
    let mut tls = world.client_tls(&[]);
    tls.resumption = rustls::client::Resumption::in_memory_sessions(8);
    tls.enable_early_data = true;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls)).early_data(true);
    let name = || "localhost".try_into().unwrap();
    let socket = TcpStream::connect(sibling_address).await.unwrap();
    let mut stream = connector.connect(name(), socket).await.unwrap();
    stream.read_u8().await.unwrap();
    assert!(stream.get_ref().1.tls13_tickets_received() > 0);
    giving.await.unwrap();

    let socket = TcpStream::connect(ours.address).await.unwrap();
    let mut stream = connector.connect(name(), socket).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.ends_with(b"hello"));
    let connection = stream.get_ref().1;
    assert!(!connection.is_early_data_accepted());
    assert_eq!(
        connection.handshake_kind(),
        Some(rustls::HandshakeKind::Full)
    );
}
