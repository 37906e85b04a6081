//! tls-alpn-01 beside attested connections: an ACME server's challenge is answered by a handshake and nothing more, and its protocol is
//! no way to the service.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use adversary::Link;
use adversary::REQUEST;
use atls_core::ConfigError;
use atls_core::Fault;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Parameters;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::load;
use end_to_end::reqwest_client;
use rustls::AlertDescription;
use rustls::pki_types::CertificateDer;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use test_support::Log;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;
use tracing_subscriber::filter::LevelFilter;

const ACME: &str = "acme-tls/1";

/// The answers of a server: one that is pending for `localhost`, or none.
#[derive(Debug)]
struct Answers(Option<Arc<CertifiedKey>>);

impl ResolvesServerCert for Answers {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let pending = hello.server_name() == Some("localhost");
        self.0.clone().filter(|_| pending)
    }
}

/// A server with a challenge, whose certificate even the clients of the service would trust.
struct Scene {
    world: World,
    server: Served,
    challenge: Arc<CertifiedKey>,
    /// Counts how often the device is asked.
    device: Gate,
}

impl Scene {
    /// Serves clients that attest, and ordinary ones as unattested: whoever comes as far as HTTP reaches a handler.
    async fn pending() -> Self {
        Self::with(Pending::Yes, |terms, world| {
            terms.ask_peer(world.about_clients())
        })
        .await
    }

    /// Serves attested clients alone.
    async fn strict(pending: Pending) -> Self {
        Self::with(pending, |terms, world| {
            terms.require_peer(world.about_clients())
        })
        .await
    }

    async fn with(
        pending: Pending,
        adjust: impl FnOnce(ServerTerms, &World) -> ServerTerms,
    ) -> Self {
        let world = World::new();
        let challenge = load(&world.authority.issue().unwrap());
        let device = Gate::new();
        device.open();
        let attester = Gated {
            inner: world.server_device.clone(),
            gate: device.clone(),
        };
        let answers = match pending {
            Pending::Yes => Answers(Some(challenge.clone())),
            Pending::No => Answers(None),
        };
        let terms = ServerTerms::new()
            .attester(Arc::new(attester))
            .tls_alpn_01(Arc::new(answers));
        let server = world.serve(adjust(terms, &world)).await;
        Self {
            world,
            server,
            challenge,
            device,
        }
    }

    async fn connect(&self, alpn: &[&str]) -> std::io::Result<Link> {
        let socket = TcpStream::connect(self.server.address).await.unwrap();
        Link::connect(Arc::new(self.world.client_tls(alpn)), socket, None).await
    }

    fn is_challenge(&self, link: &Link) -> bool {
        certificate(link) == self.challenge.cert[0]
    }

    /// Nobody came to the service, and an honest client does.
    async fn goes_on(&self) {
        assert_eq!(self.server.hits(), 0);
        assert_eq!(self.device.waiting(), 0);
        let client = reqwest_client(&self.world.mutual());
        let response = client.get(self.server.url("/peer")).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "affirming");
    }
}

#[derive(Clone, Copy)]
enum Pending {
    No,
    Yes,
}

fn certificate(link: &Link) -> CertificateDer<'static> {
    link.tls.get_ref().1.peer_certificates().unwrap()[0].clone()
}

fn protocol(link: &Link) -> Option<&[u8]> {
    link.tls.get_ref().1.alpn_protocol()
}

/// The rest of what the server says, and whether it said goodbye.
async fn rest(link: &mut Link) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let ended = link.tls.read_to_end(&mut bytes).await;
    (bytes, ended.is_ok())
}

#[tokio::test]
async fn a_challenge_is_answered_by_its_certificate_and_the_connection_closed() {
    let scene = Scene::pending().await;
    let mut link = scene.connect(&[ACME]).await.unwrap();
    assert!(scene.is_challenge(&link));
    assert_eq!(protocol(&link), Some(ACME.as_bytes()));
    assert_eq!(rest(&mut link).await, (Vec::new(), true));
    let TlsStream::Client(client) = &link.tls else {
        unreachable!("it connected");
    };
    assert_eq!(client.get_ref().1.tls13_tickets_received(), 0);
    scene.goes_on().await;
}

/// Clients of the service trust the certificate, and nothing is attested.
#[tokio::test]
async fn a_client_that_demands_attestation_accepts_no_challenge() {
    let scene = Scene::pending().await;
    let terms = ClientTerms::new().require_peer(scene.world.about_servers());
    let connector = ClientConnector::new(scene.world.client_tls(&[ACME]), terms).unwrap();
    let socket = TcpStream::connect(scene.server.address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let refused = connector.connect(name, socket).await.unwrap_err();
    assert_eq!(refused.fault(), Fault::Peer, "{}", refused.report());
    scene.goes_on().await;
}

/// The server would answer ordinary clients, and this one waits for nothing.
#[tokio::test]
async fn http_behind_a_challenge_reaches_nobody() {
    let scene = Scene::pending().await;
    for request in [
        &b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        let mut link = scene.connect(&[ACME]).await.unwrap();
        let _ = link.tls.write_all(request).await;
        let _ = link.tls.flush().await;
        assert_eq!(rest(&mut link).await.0, b"");
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn nothing_is_attested_behind_a_challenge() {
    let scene = Scene::pending().await;
    let mut link = scene.connect(&[ACME]).await.unwrap();
    let formats = scene.world.about_servers().media_types();
    let parameters = Parameters::client(formats, true, CanAttest::No);
    let (request, _) =
        atls_core::exchange::request(&link, &demo::provider(), Some(&parameters)).unwrap();
    let _ = link.write(REQUEST, &request).await;
    assert_eq!(rest(&mut link).await.0, b"");
    scene.goes_on().await;
}

/// A client of the service may know the protocol. It gets what it would get without.
#[tokio::test]
async fn a_client_that_offers_another_protocol_too_is_a_client_of_the_service() {
    let scene = Scene::strict(Pending::Yes).await;
    for offer in [
        [ACME, "http/1.1"],
        ["http/1.1", ACME],
        [ACME, "h2"],
        ["h2", ACME],
    ] {
        let link = scene.connect(&offer).await.unwrap();
        assert_eq!(certificate(&link), scene.world.issued.chain[0]);
        let chosen = offer.into_iter().find(|name| *name != ACME).unwrap();
        assert_eq!(protocol(&link), Some(chosen.as_bytes()));
        let told = scene.world.plain_client(&offer);
        let told = told.get(scene.server.url("/")).send().await.unwrap();
        assert_eq!(told.status(), 403);
    }
    // The same protocol twice is no list with one protocol.
    assert!(scene.connect(&[ACME, ACME]).await.is_err());
    scene.goes_on().await;
}

#[tokio::test]
async fn a_challenge_that_is_not_pending_is_refused_as_an_unknown_protocol() {
    let scene = Scene::strict(Pending::No).await;
    let refused = scene.connect(&[ACME]).await.unwrap_err();
    let held = refused.get_ref().unwrap().downcast_ref::<rustls::Error>();
    let alert = AlertDescription::NoApplicationProtocol;
    assert_eq!(held, Some(&rustls::Error::AlertReceived(alert)));
    scene.goes_on().await;
}

/// Such a server takes any protocol, or none; what it demands of clients is the same.
#[tokio::test]
async fn a_server_without_protocols_demands_attestation_of_a_client_with_acmes() {
    let world = World::new();
    let mut tls = world.server_tls();
    tls.alpn_protocols.clear();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients())
        .tls_alpn_01(Arc::new(Answers(None)));
    let server = world.serve_with(terms, tls).await;
    let socket = TcpStream::connect(server.address).await.unwrap();
    let mut link = Link::connect(Arc::new(world.client_tls(&[ACME])), socket, None)
        .await
        .unwrap();
    assert_eq!(certificate(&link), world.issued.chain[0]);
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    link.tls.write_all(request).await.unwrap();
    let answer = link.drain().await;
    assert!(answer.starts_with(b"HTTP/1.1 403 "));
    assert_eq!(server.hits(), 0);
}

/// The device would be asked before the handshake is answered.
#[tokio::test]
async fn a_server_that_attests_in_the_handshake_makes_no_evidence_for_a_challenge() {
    let scene = Scene::with(Pending::Yes, |terms, _| terms.attest_in_handshake()).await;
    let mut link = scene.connect(&[ACME]).await.unwrap();
    assert!(scene.is_challenge(&link));
    assert_eq!(rest(&mut link).await, (Vec::new(), true));
    assert_eq!(scene.device.waiting(), 0);
    assert_eq!(scene.server.hits(), 0);
}

#[tokio::test]
async fn a_server_whose_clients_attest_in_the_handshake_asks_none_of_a_challenge() {
    let scene = Scene::with(Pending::Yes, |terms, world| {
        terms
            .require_peer(world.about_clients())
            .clients_attest(Mode::InHandshake)
    })
    .await;
    let mut link = scene.connect(&[ACME]).await.unwrap();
    assert!(scene.is_challenge(&link));
    assert_eq!(rest(&mut link).await, (Vec::new(), true));
    assert_eq!(scene.server.hits(), 0);
}

#[tokio::test]
async fn an_answered_challenge_is_no_failure() {
    let world = World::new();
    let challenge = load(&world.authority.issue().unwrap());
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .tls_alpn_01(Arc::new(Answers(Some(challenge))));
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(world.client_tls(&[ACME])));
    let name = "localhost".try_into().unwrap();
    let (connected, accepted) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
    connected.unwrap();
    let outcome = accepted.unwrap_err();
    assert!(outcome.is_acme_challenge());
    assert!(!outcome.is_local() && !outcome.is_tls() && !outcome.is_closed());
    assert_eq!(outcome.reason(), "acme_challenge");
}

#[tokio::test]
async fn an_answered_challenge_is_one_event_and_nobodys_fault() {
    let (log, _guard) = Log::start(LevelFilter::INFO);
    let scene = Scene::pending().await;
    let mut link = scene.connect(&[ACME]).await.unwrap();
    rest(&mut link).await;
    let lines = log.take();
    let [line] = &lines[..] else {
        panic!("{lines:#?}");
    };
    assert!(
        line.contains(" INFO ") && line.contains("challenge was answered"),
        "{line}"
    );
    assert!(!line.contains("fault"), "{line}");
}

#[test]
fn acmes_protocol_is_none_of_an_applications() {
    let world = World::new();
    let mut tls = world.server_tls();
    tls.alpn_protocols.push(ACME.as_bytes().to_vec());
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let refused = ServerAcceptor::new(tls, terms).unwrap_err();
    assert!(refused.is_local());
    let source = std::error::Error::source(&refused).unwrap();
    let source = source.downcast_ref::<ConfigError>();
    assert!(matches!(source, Some(ConfigError::Tls(_))));
}
