//! A certificate resolver that gives another key at each call: the handshake and the authenticator of a connection use the
//! same key all the same, and the resolver is asked once per connection.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_core::Fault;
use atls_core::ProtocolError;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::load;
use end_to_end::time::PATIENCE;
use rustls::ClientConfig;
use rustls::HandshakeKind;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::kx_group::SECP256R1;
use rustls::crypto::ring::kx_group::X25519;
use rustls::pki_types::ServerName;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use tokio::io::DuplexStream;
use tokio::task::JoinSet;

/// Keys of one name, each with a certificate that the clients trust.
const KEYS: usize = 7;
const CONNECTIONS: usize = 60;

#[derive(Debug)]
struct Rotating {
    keys: Vec<Arc<CertifiedKey>>,
    calls: AtomicUsize,
}

impl Rotating {
    fn new(world: &World) -> Arc<Self> {
        let key = |_| load(&world.authority.issue().unwrap());
        Arc::new(Self {
            keys: (0..KEYS).map(key).collect(),
            calls: AtomicUsize::new(0),
        })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl ResolvesServerCert for Rotating {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        self.keys.get(call.checked_rem(KEYS)?).cloned()
    }
}

/// Both ends, whose client demands that the server attests with the key of its certificate.
#[derive(Clone)]
struct Ends {
    acceptor: ServerAcceptor,
    connector: ClientConnector,
}

impl Ends {
    fn new(world: &World, resolver: Arc<dyn ResolvesServerCert>) -> Self {
        Self::with_groups(world, resolver, demo::provider(), demo::provider())
    }

    fn with_groups(
        world: &World,
        resolver: Arc<dyn ResolvesServerCert>,
        servers: Arc<CryptoProvider>,
        clients: Arc<CryptoProvider>,
    ) -> Self {
        let tls = ServerConfig::builder_with_details(servers, world.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let acceptor = ServerAcceptor::new(tls, terms.deadline(PATIENCE)).unwrap();
        let tls = ClientConfig::builder_with_details(clients, world.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(world.authority.roots().unwrap())
            .with_no_client_auth();
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let connector = ClientConnector::new(tls, terms.deadline(PATIENCE)).unwrap();
        Self {
            acceptor,
            connector,
        }
    }

    /// One connection. The buffer is short, so that a handshake is driven in many steps and others run between them.
    async fn connect(&self) -> AttestedStream<DuplexStream> {
        let (near, far) = tokio::io::duplex(64);
        let name = ServerName::try_from("localhost").unwrap();
        let (connected, accepted) = tokio::join!(
            self.connector.connect(name, near),
            self.acceptor.accept(far)
        );
        accepted.unwrap();
        let connected = connected.unwrap();
        assert!(connected.peer().is_some());
        connected
    }
}

#[tokio::test]
async fn one_connection_after_another_has_one_key_each() {
    let world = World::new();
    let resolver = Rotating::new(&world);
    let ends = Ends::new(&world, resolver.clone());
    for _ in 0..CONNECTIONS {
        ends.connect().await;
    }
    assert_eq!(resolver.calls(), CONNECTIONS);
}

#[tokio::test]
async fn handshakes_that_alternate_on_one_thread_have_one_key_each() {
    let world = World::new();
    let resolver = Rotating::new(&world);
    let ends = Ends::new(&world, resolver.clone());
    at_once(&ends).await;
    assert_eq!(resolver.calls(), CONNECTIONS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn handshakes_that_move_between_threads_have_one_key_each() {
    let world = World::new();
    let resolver = Rotating::new(&world);
    let ends = Ends::new(&world, resolver.clone());
    at_once(&ends).await;
    assert_eq!(resolver.calls(), CONNECTIONS);
}

async fn at_once(ends: &Ends) {
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let ends = ends.clone();
        connections.spawn(async move { drop(ends.connect().await) });
    }
    while let Some(connected) = connections.join_next().await {
        connected.unwrap();
    }
}

/// After a HelloRetryRequest rustls asks the resolver once more.
#[tokio::test]
async fn a_hello_retry_request_does_not_change_the_key() {
    let world = World::new();
    let resolver = Rotating::new(&world);
    let groups = |groups| {
        Arc::new(CryptoProvider {
            kx_groups: groups,
            ..(*demo::provider()).clone()
        })
    };
    let servers = groups(vec![SECP256R1]);
    let clients = groups(vec![X25519, SECP256R1]);
    let ends = Ends::with_groups(&world, resolver.clone(), servers, clients);
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let ends = ends.clone();
        connections.spawn(async move { ends.connect().await.get_ref().1.handshake_kind() });
    }
    while let Some(kind) = connections.join_next().await {
        let retried = Some(HandshakeKind::FullWithHelloRetryRequest);
        assert_eq!(kind.unwrap(), retried);
    }
    assert_eq!(resolver.calls(), CONNECTIONS);
}

#[derive(Debug)]
struct NoKey;

impl ResolvesServerCert for NoKey {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

#[tokio::test]
async fn a_server_that_has_no_key_says_so() {
    let world = World::new();
    let ends = Ends::new(&world, Arc::new(NoKey));
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from("localhost").unwrap();
    let (connected, accepted) = tokio::join!(
        ends.connector.connect(name, near),
        ends.acceptor.accept(far)
    );
    let refused = accepted.unwrap_err();
    assert_eq!(refused.protocol(), Some(&ProtocolError::NoIdentity));
    assert_eq!(refused.fault(), Fault::Local);
    assert!(connected.is_err());
}
