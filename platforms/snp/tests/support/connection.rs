//! A live TLS 1.3 connection in memory: a client that asks, a server that answers.

use std::ops::Deref;
use std::sync::Arc;

use atls_core::Bound;
use atls_core::LocalAttester;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::session::Handshake;
use atls_core::session::Session;
use rustls::CipherSuite;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::ConnectionCommon;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::SideData;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;

pub struct Connection {
    client: End<ClientConnection>,
    server: End<ServerConnection>,
    provider: CryptoProvider,
}

impl Connection {
    /// After the handshake, with this suite and no other.
    pub fn new(suite: CipherSuite) -> Self {
        let mut provider = rustls::crypto::ring::default_provider();
        provider
            .cipher_suites
            .retain(|known| known.suite() == suite);
        let identity = identity(&provider);
        let (client, server) = connected(&provider, &identity);
        Self {
            client: End {
                handshake: Handshake::client(&client, None).unwrap(),
                connection: client,
            },
            server: End {
                handshake: Handshake::server(&server, identity).unwrap(),
                connection: server,
            },
            provider,
        }
    }

    /// One exchange: what the server's Evidence has to carry, and what the client gets.
    pub fn exchange(&self, attester: &mut dyn LocalAttester) -> (Bound, Credential) {
        self.exchange_with(attester, |cmw| cmw)
    }

    /// The same, where somebody alters the server's message before it is authenticated.
    pub fn exchange_with(
        &self,
        attester: &mut dyn LocalAttester,
        alter: impl FnOnce(Cmw) -> Cmw,
    ) -> (Bound, Credential) {
        let (request, pending) =
            atls_core::exchange::request(&self.client, &self.provider, None).unwrap();
        let challenge = Challenge::receive(&self.server, &request).unwrap();
        let asked = challenge.to_attest().unwrap();
        let bound = asked.bound().clone();
        let cmw = alter(attester.attest(asked).unwrap());
        let authenticator = challenge.answer(&cmw).unwrap();
        (bound, pending.finish(&authenticator).unwrap())
    }
}

struct End<C> {
    connection: C,
    handshake: Handshake,
}

impl<C, D> Session for End<C>
where
    C: Deref<Target = ConnectionCommon<D>> + Send,
    D: SideData,
{
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn export(&self, label: &[u8], context: &[u8], output: &mut [u8]) -> Result<(), ProtocolError> {
        self.connection
            .export_keying_material(output, label, Some(context))
            .map(drop)
            .map_err(|_| ProtocolError::Export)
    }
}

fn identity(provider: &CryptoProvider) -> Arc<CertifiedKey> {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(der).unwrap();
    Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
}

fn connected(
    provider: &CryptoProvider,
    identity: &Arc<CertifiedKey>,
) -> (ClientConnection, ServerConnection) {
    let provider = Arc::new(provider.clone());
    let mut roots = RootCertStore::empty();
    roots.add(identity.cert[0].clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let resolver = SingleCertAndKey::from(CertifiedKey::clone(identity));
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    while client.wants_write() || server.wants_write() {
        carry(&mut client, &mut server);
        carry(&mut server, &mut client);
    }
    (client, server)
}

fn carry<A: SideData, B: SideData>(from: &mut ConnectionCommon<A>, to: &mut ConnectionCommon<B>) {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap();
    }
    let mut wire = &wire[..];
    while !wire.is_empty() {
        to.read_tls(&mut wire).unwrap();
        to.process_new_packets().unwrap();
    }
}
