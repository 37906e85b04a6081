//! A certificate with Evidence, altered or about another key, shown to a live server and to a live client of either weaker mode. It is accepted
//! where it is about the key of the handshake, the device made it, and the mode is that of certificates.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use atls_core::Attester;
use atls_core::Binding;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::exchange::certificate::Format;
use atls_fuzz::tape::Tape;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_client;
use atls_tower::weaker::dangerous_any_server;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;
use rustls::sign::SingleCertAndKey;
use test_support::ready;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;

struct Setting {
    provider: Arc<CryptoProvider>,
    /// The peer's.
    key: KeyPair,
    /// Evidence about that key, about another, and of a device that nobody trusts.
    made: [Made; 3],
    servers: [ServerAcceptor; 2],
    clients: [ClientConnector; 2],
}

struct Made {
    extension: Vec<u8>,
    token: Vec<u8>,
}

// The live end and whose Evidence; then triples: where in the extension, high and low, and what is exclusive-ored there; or the whole of it.
atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let mut tape = Tape::new(bytes);
    let (end, whose) = (tape.byte(), tape.byte());
    let made = setting.made.get(usize::from(whose));
    let extension = match made {
        Some(made) => altered(&made.extension, tape.rest()),
        None => tape.rest().to_vec(),
    };
    let mode = usize::from(end & 1);
    let identity = setting.identity(&extension);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let accepted = runtime.expect("a runtime").block_on(async {
        match end & 2 {
            0 => setting.by_server(mode, identity).await,
            _ => setting.by_client(mode, identity).await,
        }
    });
    let made = made.filter(|made| {
        let token = &made.token;
        let is_whole = extension.windows(token.len()).any(|part| part == token);
        whose == 0 && mode == 0 && is_whole
    });
    assert!(!accepted || made.is_some(), "nobody vouched for the key");
    let is_good = made.is_some_and(|made| made.extension == extension);
    assert!(accepted || !is_good, "it is genuine");
});

impl Setting {
    fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let device = SimAttester::generate().expect("a device");
        let unknown = SimAttester::generate().expect("a device");
        let key = KeyPair::generate().expect("a key");
        let other = KeyPair::generate().expect("a key");
        let about = |device: &SimAttester, key: &KeyPair| made(device, &*signing(&provider, key));
        let made = [
            about(&device, &key),
            about(&device, &other),
            about(&unknown, &key),
        ];
        let modes = [Mode::InCertificate, Mode::InHandshake];
        Self {
            made,
            servers: modes.map(|mode| server(&provider, mode, &device)),
            clients: modes.map(|mode| client(&provider, mode, &device)),
            key,
            provider,
        }
    }

    fn identity(&self, extension: &[u8]) -> Arc<CertifiedKey> {
        let mut parameters = CertificateParams::new(vec![NAME.to_owned()]).expect("a name");
        let arcs = Format::Cmw.oid();
        let extension = CustomExtension::from_oid_content(arcs, extension.to_vec());
        parameters.custom_extensions.push(extension);
        let certificate = parameters.self_signed(&self.key).expect("a certificate");
        let key = signing(&self.provider, &self.key);
        Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key))
    }

    async fn by_server(&self, mode: usize, identity: Arc<CertifiedKey>) -> bool {
        let resolver = Arc::new(SingleCertAndKey::from(identity));
        let tls = client_tls(&self.provider).with_client_cert_resolver(resolver);
        let (near, far) = tokio::io::duplex(PIPE);
        let showing = async {
            let connector = TlsConnector::from(Arc::new(tls));
            if let Ok(mut stream) = connector.connect(name(), far).await {
                // A server knows that the handshake is over by the first byte behind it.
                let _ = stream.write_all(b"G").await;
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        };
        let accepting = async {
            let accepted = self.servers[mode].accept(near).await;
            accepted.is_ok_and(|stream| stream.peer().is_some())
        };
        both(accepting, showing).await
    }

    async fn by_client(&self, mode: usize, identity: Arc<CertifiedKey>) -> bool {
        let resolver = Arc::new(SingleCertAndKey::from(identity));
        let tls = server_tls(&self.provider).with_no_client_auth();
        let tls = tls.with_cert_resolver(resolver);
        let (near, far): (DuplexStream, DuplexStream) = tokio::io::duplex(PIPE);
        let showing = async {
            let acceptor = TlsAcceptor::from(Arc::new(tls));
            if let Ok(mut stream) = acceptor.accept(far).await {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        };
        let connecting = async {
            let connected = self.clients[mode].connect(name(), near).await;
            connected.is_ok_and(|stream| stream.peer().is_some())
        };
        both(connecting, showing).await
    }
}

/// Longer than any deadline.
async fn both(live: impl Future<Output = bool>, peer: impl Future<Output = ()>) -> bool {
    let both = async { tokio::join!(live, peer).0 };
    let ended = tokio::time::timeout(Duration::from_secs(3600), both).await;
    ended.expect("both ends end")
}

fn altered(extension: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut altered = extension.to_vec();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % altered.len();
        altered[at] ^= change[2];
    }
    altered
}

fn made(device: &SimAttester, key: &dyn SigningKey) -> Made {
    let request = Format::Cmw.to_attest(key).expect("a request");
    let cmw = ready(Attester::attest(device, request.as_request()));
    let cmw = cmw.expect("Evidence");
    let extension = Format::Cmw.extension(request.as_request(), &cmw);
    Made {
        extension: extension.expect("it fits"),
        token: cmw.items()[0].value().to_vec(),
    }
}

fn trusting(device: &SimAttester) -> Arc<RelyingParty> {
    let policy = StandardPolicy::new()
        .dangerous_accept_simulated()
        .dangerous_accept_binding(Binding::Key);
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
        .standard_policy(policy);
    Arc::new(relying_party.build().expect("a relying party"))
}

fn server(provider: &Arc<CryptoProvider>, mode: Mode, device: &SimAttester) -> ServerAcceptor {
    let identity = SingleCertAndKey::from(test_support::identity());
    let tls = server_tls(provider).with_client_cert_verifier(dangerous_any_client(provider));
    let tls = tls.with_cert_resolver(Arc::new(identity));
    let terms = ServerTerms::new()
        .clients_attest(mode)
        .require_peer(trusting(device));
    ServerAcceptor::new(tls, terms).expect("good terms")
}

fn client(provider: &Arc<CryptoProvider>, mode: Mode, device: &SimAttester) -> ClientConnector {
    let tls = client_tls(provider).with_no_client_auth();
    let terms = ClientTerms::new()
        .servers_attest(mode)
        .require_peer(trusting(device));
    ClientConnector::new(tls, terms).expect("good terms")
}

/// Any server, whose certificate says more than its issuer.
fn client_tls(
    provider: &Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(dangerous_any_server(provider))
}

fn server_tls(
    provider: &Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
}

fn signing(provider: &CryptoProvider, key: &KeyPair) -> Arc<dyn SigningKey> {
    let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    provider.key_provider.load_private_key(der).expect("a key")
}

fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("a name")
}

const NAME: &str = "localhost";

const PIPE: usize = 64 * 1024;
