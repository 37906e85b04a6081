//! Two ends of one TLS 1.3 connection in memory.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod forge;
pub mod issuer;

use std::sync::Arc;

use atls_core::Bound;
use atls_core::ProtocolError;
use atls_core::expected::BoundMatch;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::PrivatePkcs8KeyDer;
use atls_core::pki_types::ServerName;
use atls_core::session::Handshake;
use atls_core::session::Session;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::ConnectionCommon;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::SideData;
use rustls::crypto::CryptoProvider;
use rustls::server::ResolvesServerCert;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;

/// The proof that a verifier has who found the value. These verifiers have no Evidence to look into.
pub fn matched(bound: &Bound) -> BoundMatch {
    bound.verbatim().compare(bound.as_bytes()).unwrap()
}

/// Both providers that users choose between.
pub fn providers() -> [CryptoProvider; 2] {
    [
        rustls::crypto::aws_lc_rs::default_provider(),
        rustls::crypto::ring::default_provider(),
    ]
}

/// A self-signed certificate for `localhost` and its key, loaded by `provider`.
pub fn identity(provider: &CryptoProvider) -> Arc<CertifiedKey> {
    identity_of(provider, &rcgen::PKCS_ECDSA_P256_SHA256)
}

pub fn identity_of(
    provider: &CryptoProvider,
    algorithm: &'static rcgen::SignatureAlgorithm,
) -> Arc<CertifiedKey> {
    let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// The same with an RSA key of 2048 bits.
pub fn rsa_identity(provider: &CryptoProvider) -> Arc<CertifiedKey> {
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let pkcs8: Pkcs8V1Der<'_> = key.as_der().unwrap();
    let key = PrivatePkcs8KeyDer::from(pkcs8.as_ref().to_vec());
    let signer =
        rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&key, &rcgen::PKCS_RSA_SHA256).unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&signer).unwrap();
    let key = provider.key_provider.load_private_key(key.into()).unwrap();
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// Lets the server demand a certificate of the client, and the client send this one.
pub fn authenticate_client(
    client: &mut ClientConfig,
    server: &mut ServerConfig,
    identity: &Arc<CertifiedKey>,
) {
    let provider = server.crypto_provider().clone();
    let mut roots = RootCertStore::empty();
    roots.add(identity.cert[0].clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    *server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.unwrap())
        .with_cert_resolver(server.cert_resolver.clone());
    client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from((**identity).clone()));
}

/// A live connection as the protocol sees it.
pub struct Live<C> {
    pub connection: C,
    pub handshake: Handshake,
}

impl<C, D> Session for Live<C>
where
    C: std::ops::Deref<Target = ConnectionCommon<D>> + Send,
    D: SideData,
{
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        self.connection
            .export_keying_material(output, label, Some(context))
            .map(|_| ())
            .map_err(|_| ProtocolError::Export)
    }
}

/// Both ends of one connection.
pub struct Pair {
    pub client: Live<ClientConnection>,
    pub server: Live<ServerConnection>,
}

impl Pair {
    /// A completed handshake; `server` certifies the server, `client_identity` answers for the client.
    pub fn new(
        provider: CryptoProvider,
        server: &Arc<CertifiedKey>,
        client_identity: Option<Arc<CertifiedKey>>,
    ) -> Self {
        Self::with(provider, server, client_identity, |_, _| {})
    }

    pub fn with(
        provider: CryptoProvider,
        server: &Arc<CertifiedKey>,
        client_identity: Option<Arc<CertifiedKey>>,
        adjust: impl FnOnce(&mut ClientConfig, &mut ServerConfig),
    ) -> Self {
        let (client, server_connection) = connected(provider, server, adjust);
        let client_handshake = Handshake::client(&client, client_identity).unwrap();
        let server_handshake = Handshake::server(&server_connection, server.clone()).unwrap();
        Self {
            client: Live {
                connection: client,
                handshake: client_handshake,
            },
            server: Live {
                connection: server_connection,
                handshake: server_handshake,
            },
        }
    }
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Two rustls connections after the handshake.
pub fn connected(
    provider: CryptoProvider,
    server: &Arc<CertifiedKey>,
    adjust: impl FnOnce(&mut ClientConfig, &mut ServerConfig),
) -> (ClientConnection, ServerConnection) {
    let provider = Arc::new(provider);
    let mut roots = RootCertStore::empty();
    roots.add(server.cert[0].clone()).unwrap();
    let mut client_config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut server_config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Fixed(server.clone())));
    adjust(&mut client_config, &mut server_config);
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client_config), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server_config)).unwrap();
    pump(&mut client, &mut server);
    (client, server)
}

/// Carries TLS records both ways until neither end has any.
pub fn pump(client: &mut ClientConnection, server: &mut ServerConnection) {
    while client.wants_write() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        feed(server, &wire);
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        feed(client, &wire);
    }
}

fn feed<D: SideData>(connection: &mut ConnectionCommon<D>, mut wire: &[u8]) {
    while !wire.is_empty() {
        connection.read_tls(&mut wire).unwrap();
        connection.process_new_packets().unwrap();
    }
}
