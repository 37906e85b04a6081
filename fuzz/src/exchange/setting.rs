//! What outlives one connection: certificates, the genuine device and another, and the terms of live ends.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::core::AttestError;
use atls_tower::core::AttestRequest;
use atls_tower::core::Attester;
use atls_tower::core::BoxFuture;
use atls_tower::core::MediaType;
use atls_tower::core::RelyingParty;
use atls_tower::core::StandardPolicy;
use atls_tower::core::cmw::Cmw;
use atls_tower::weaker::Mode;
use rcgen::CertificateParams;
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use test_support::Connection;

/// The terms of one live end, as its peer has to know them.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// The peer is accepted only if it attested.
    pub(super) demands_peer: bool,
    /// The live end shows its Evidence only to a peer that attested.
    pub(super) attests_second: bool,
}

pub(super) struct Setting {
    pub(super) provider: Arc<CryptoProvider>,
    /// The certificate of both servers, live and hostile: the hostile one has the name that is asked for.
    pub(super) identity: Arc<CertifiedKey>,
    /// A key that is in no certificate of a handshake.
    pub(super) other_identity: Arc<CertifiedKey>,
    /// Trusted by both live ends.
    pub(super) device: Arc<SimAttester>,
    /// Trusted by nobody.
    pub(super) other_device: SimAttester,
    /// Of other connections, which share Evidence with the one that is looked at.
    pub(super) others: Vec<Connection>,
    pub(super) client_tls: Arc<ClientConfig>,
    pub(super) server_tls: Arc<ServerConfig>,
    servers: Vec<(ServerAcceptor, Terms)>,
    clients: Vec<(ClientConnector, Terms)>,
    server_of_all_modes: ServerAcceptor,
}

impl Setting {
    pub(super) fn get() -> &'static Self {
        static SETTING: OnceLock<Setting> = OnceLock::new();
        SETTING.get_or_init(Self::new)
    }

    fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let device = Arc::new(SimAttester::generate().expect("a device"));
        let relying_party = RelyingParty::builder()
            .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
            .build();
        let relying_party = Arc::new(relying_party.expect("a relying party"));
        let identity = identity(&provider);
        let client_tls = client_tls(&provider, &identity);
        let server_tls = server_tls(&provider, &identity);
        let server = |terms: ServerTerms| {
            ServerAcceptor::new(server_tls.clone(), terms).expect("good terms")
        };
        let client = |terms: ClientTerms| {
            ClientConnector::new(client_tls.clone(), terms).expect("good terms")
        };
        let own: Arc<dyn Attester> = Arc::new(Slow(device.clone()));
        Self {
            servers: vec![
                (
                    server(
                        ServerTerms::new()
                            .attester(own.clone())
                            .require_peer(relying_party.clone()),
                    ),
                    Terms {
                        demands_peer: true,
                        attests_second: false,
                    },
                ),
                (
                    server(
                        ServerTerms::new()
                            .attester(own.clone())
                            .require_peer(relying_party.clone())
                            .client_first(),
                    ),
                    Terms {
                        demands_peer: true,
                        attests_second: true,
                    },
                ),
                (
                    server(
                        ServerTerms::new()
                            .attester(own.clone())
                            .ask_peer(relying_party.clone()),
                    ),
                    Terms {
                        demands_peer: false,
                        attests_second: false,
                    },
                ),
                (
                    server(ServerTerms::new().require_peer(relying_party.clone())),
                    Terms {
                        demands_peer: true,
                        attests_second: false,
                    },
                ),
                (
                    server(ServerTerms::new().attester(own.clone())),
                    Terms {
                        demands_peer: false,
                        attests_second: false,
                    },
                ),
            ],
            clients: vec![
                (
                    client(ClientTerms::new().require_peer(relying_party.clone())),
                    Terms {
                        demands_peer: true,
                        attests_second: false,
                    },
                ),
                (
                    client(
                        ClientTerms::new()
                            .require_peer(relying_party.clone())
                            .attester(own.clone()),
                    ),
                    Terms {
                        demands_peer: true,
                        attests_second: true,
                    },
                ),
                (
                    client(
                        ClientTerms::new()
                            .require_peer(relying_party.clone())
                            .attester(own.clone())
                            .attest_before_server(),
                    ),
                    Terms {
                        demands_peer: true,
                        attests_second: false,
                    },
                ),
                (
                    client(
                        ClientTerms::new()
                            .attester(own.clone())
                            .dangerous_accept_unattested_servers(),
                    ),
                    Terms {
                        demands_peer: false,
                        attests_second: false,
                    },
                ),
            ],
            server_of_all_modes: server(
                ServerTerms::new()
                    .attester(own)
                    .attest_in_handshake()
                    .require_peer(relying_party)
                    .clients_attest(Mode::InHandshake),
            ),
            other_identity: self::identity(&provider),
            other_device: SimAttester::generate().expect("a device"),
            others: (0..OTHERS).map(|_| connection(&device)).collect(),
            client_tls: Arc::new(client_tls),
            server_tls: Arc::new(server_tls),
            provider,
            identity,
            device,
        }
    }

    pub(super) fn server(&self, which: u8) -> (&ServerAcceptor, Terms) {
        let (acceptor, terms) = &self.servers[usize::from(which) % self.servers.len()];
        (acceptor, *terms)
    }

    pub(super) fn client(&self, which: u8) -> (&ClientConnector, Terms) {
        let (connector, terms) = &self.clients[usize::from(which) % self.clients.len()];
        (connector, *terms)
    }

    /// A client that suits the server of these terms: it attests, and demands what that server can give.
    pub(super) fn client_of_server(&self, which: u8) -> &ClientConnector {
        match usize::from(which) % self.servers.len() {
            3 => &self.clients[3].0,
            _ => &self.clients[2].0,
        }
    }

    /// A server that suits the client of these terms.
    pub(super) fn server_of_client(&self, which: u8) -> &ServerAcceptor {
        match usize::from(which) % self.clients.len() {
            0 => &self.servers[4].0,
            _ => &self.servers[0].0,
        }
    }

    pub(super) fn server_of_all_modes(&self) -> &ServerAcceptor {
        &self.server_of_all_modes
    }

    pub(super) fn name(&self) -> ServerName<'static> {
        ServerName::try_from(NAME).expect("a name")
    }
}

/// A device that takes its time, as all do: the peer may speak meanwhile.
struct Slow(Arc<SimAttester>);

impl Attester for Slow {
    fn media_types(&self) -> &[MediaType] {
        Attester::media_types(&*self.0)
    }

    fn names_leaf_key(&self) -> bool {
        Attester::names_leaf_key(&*self.0)
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Attester::attest(&*self.0, request).await
        })
    }
}

fn identity(provider: &CryptoProvider) -> Arc<CertifiedKey> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let parameters = CertificateParams::new(vec![NAME.to_owned()]).expect("a name");
    let certificate = parameters.self_signed(&key).expect("a certificate");
    let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let key = provider.key_provider.load_private_key(der).expect("a key");
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
}

fn client_tls(provider: &Arc<CryptoProvider>, trusted: &CertifiedKey) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in &trusted.cert {
        roots.add(certificate.clone()).expect("a certificate");
    }
    ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn server_tls(provider: &Arc<CryptoProvider>, identity: &CertifiedKey) -> ServerConfig {
    let resolver = rustls::sign::SingleCertAndKey::from(identity.clone());
    ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver))
}

/// Of a client that takes Evidence of a batch.
fn connection(device: &SimAttester) -> Connection {
    let format = Attester::media_types(device)[0].clone();
    Connection::in_batches(&test_support::identity(), format)
}

const NAME: &str = "localhost";

/// Before the own connection and behind it three at most, and one more for another batch.
pub(super) const OTHERS: usize = 7;
