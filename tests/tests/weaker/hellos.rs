//! ClientHellos: their nonce, and the handshakes that wait for Evidence about it.

use std::sync::Arc;
use std::sync::Mutex;

use atls_core::Binding;
use atls_core::limits::DEFAULT_IN_HANDSHAKE;
use atls_reqwest::Http;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::reqwest_client;
use end_to_end::time::settle;
use end_to_end::weak;
use rustls::ServerConfig;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use crate::support::accept_one;
use crate::support::client_tls;
use crate::support::expecting;
use crate::support::sockets;
use crate::support::terms;

#[tokio::test]
async fn a_client_hello_in_pieces_is_refused_where_its_nonce_is_needed() {
    let world = World::new();
    // Records have a header of 5 bytes, and the random ends with the 38th behind it.
    for (size, served) in [(37 + 5, false), (38 + 5, true)] {
        let mut tls = client_tls(&world, "http/1.1", None);
        tls.max_fragment_size = Some(size);
        let terms = terms(&world, Mode::InHandshake);
        let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
        let (near, far) = sockets().await;
        let party = weak(&world.server_device, Binding::Handshake);
        let terms = ClientTerms::new()
            .require_peer(party)
            .servers_attest(Mode::InHandshake);
        let connector = ClientConnector::new(tls, terms).unwrap();
        let name = "localhost".try_into().unwrap();
        let client = async { connector.connect(name, near).await.map(drop) };
        let (connected, accepted) = tokio::join!(client, acceptor.accept(far));
        assert_eq!(connected.is_ok(), served);
        let error = accepted.unwrap_err();
        assert_eq!(
            error.protocol() == Some(&atls_core::ProtocolError::Malformed),
            !served
        );
    }
}

/// A nonce that came again would let a certificate of an earlier handshake answer this one.
#[tokio::test]
async fn each_handshake_asks_clients_with_a_nonce_of_its_own() {
    let world = World::new();
    let asked = Arc::new(Asked::default());
    for _ in 0..2 {
        let party = weak(&world.client_device, Binding::Handshake);
        let terms = ServerTerms::new()
            .clients_attest(Mode::InHandshake)
            .require_peer(party);
        let refused = accept_one(&world, terms, Some(asked.clone())).await;
        assert!(refused.is_err());
    }
    let names = asked.0.lock().unwrap();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

/// Notes the authorities that a server names, and has no certificate.
#[derive(Debug, Default)]
struct Asked(Mutex<Vec<Vec<u8>>>);

impl ResolvesClientCert for Asked {
    fn resolve(&self, names: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.lock().unwrap().push(names.concat());
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// All that it costs to make a device work is a ClientHello: no more of them at once than exchanges.
#[tokio::test]
async fn handshakes_that_want_evidence_wait_for_their_turn() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new()
        .attester(Arc::new(device))
        .attest_in_handshake()
        .at_once(1, 1);
    let server = world.serve(terms).await;
    let party = weak(&world.server_device, Binding::Handshake);
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let attested = expecting(&world, Mode::InHandshake, party.clone(), Http::Two);
            tokio::spawn(reqwest_client(&attested).get(server.url("/")).send())
        })
        .collect();
    gate.reached_by(1).await;
    assert_eq!(gate.waiting(), 0, "a second one is at the device");
    gate.open();
    for client in clients {
        assert!(client.await.unwrap().is_ok());
    }
}

/// However many ClientHellos come, the device keeps room for clients that came further.
#[tokio::test]
async fn few_handshakes_at_once_make_the_device_work() {
    let world = World::new();
    let gate = Gate::new();
    let device = Arc::new(Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    });
    let terms = ServerTerms::new().attester(device).attest_in_handshake();
    let server = world.serve(terms).await;
    let party = weak(&world.server_device, Binding::Handshake);
    let clients: Vec<_> = (0..20)
        .map(|_| {
            let attested = expecting(&world, Mode::InHandshake, party.clone(), Http::Two);
            tokio::spawn(reqwest_client(&attested).get(server.url("/")).send())
        })
        .collect();
    gate.reached_by(u32::try_from(DEFAULT_IN_HANDSHAKE).unwrap())
        .await;
    settle().await;
    assert_eq!(gate.waiting(), 0, "one more is at the device");
    gate.open();
    for client in clients {
        assert!(client.await.unwrap().is_ok());
    }
}

/// The second ClientHello has the same random, which is the nonce.
#[tokio::test]
async fn a_hello_retry_request_changes_no_nonce() {
    let world = World::new();
    let mut provider = CryptoProvider::clone(&demo::provider());
    // The client guesses the first group of its own list.
    provider.kx_groups.reverse();
    provider.kx_groups.truncate(1);
    let mut tls = ServerConfig::builder_with_details(Arc::new(provider), world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(world.server_tls().cert_resolver.clone());
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = ServerAcceptor::new(tls, terms(&world, Mode::InHandshake)).unwrap();
    let party = weak(&world.server_device, Binding::Handshake);
    let terms = ClientTerms::new()
        .require_peer(party)
        .servers_attest(Mode::InHandshake);
    let connector = ClientConnector::new(client_tls(&world, "h2", None), terms).unwrap();
    let (near, far) = sockets().await;
    let name = "localhost".try_into().unwrap();
    let client = async {
        let stream = connector.connect(name, near).await.unwrap();
        let retried = rustls::HandshakeKind::FullWithHelloRetryRequest;
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(retried));
        stream.peer().unwrap().binding()
    };
    let (binding, _) = tokio::join!(client, acceptor.accept(far));
    assert_eq!(binding, Binding::Handshake);
}
