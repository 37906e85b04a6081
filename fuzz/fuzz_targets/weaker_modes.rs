//! A certificate with Evidence, altered or about something else, shown to a live server and to a live client of either weaker mode. It was made
//! before, or during the handshake. It is accepted where it is about the key of the handshake, or about that and this handshake's nonce, as the
//! mode wants it, and the device made it.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use atls_core::Attester;
use atls_core::Binding;
use atls_core::exchange::certificate::Format;
use atls_core::session::Side;
use atls_fuzz::changes::altered;
use atls_fuzz::changes::contains;
use atls_fuzz::hostile::Hostile;
use atls_fuzz::hostile::OF_KEY;
use atls_fuzz::tape::Tape;
use atls_fuzz::weaker::NAME;
use atls_fuzz::weaker::PIPE;
use atls_fuzz::weaker::both;
use atls_fuzz::weaker::client;
use atls_fuzz::weaker::client_tls;
use atls_fuzz::weaker::in_runtime;
use atls_fuzz::weaker::name;
use atls_fuzz::weaker::server;
use atls_fuzz::weaker::server_tls;
use atls_fuzz::weaker::signing;
use atls_sim::SimAttester;
use atls_tower::ClientConnector;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::Mode;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::KeyPair;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::DefaultTimeProvider;
use test_support::ready;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;

struct Setting {
    provider: Arc<CryptoProvider>,
    device: Arc<SimAttester>,
    /// Nobody trusts it.
    unknown: Arc<SimAttester>,
    other: Arc<dyn SigningKey>,
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

// The live end and whose Evidence; then changes of the extension, or the whole of it; or changes of the token of a device that is asked during the
// handshake.
atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let mut tape = Tape::new(bytes);
    let (end, whose) = (tape.byte(), tape.byte());
    match end & MADE_NOW {
        0 => setting.made_before(end, whose, tape),
        _ => setting.made_now(end, whose, tape),
    }
});

impl Setting {
    fn made_before(&self, end: u8, whose: u8, tape: Tape<'_>) {
        let made = self.made.get(usize::from(whose));
        let extension = match made {
            Some(made) => altered(&made.extension, tape.rest()),
            None => tape.rest().to_vec(),
        };
        let mode = usize::from(end & 1);
        let identity = self.identity(&extension);
        let accepted = in_runtime(async {
            match end & 2 {
                0 => {
                    let resolver = Arc::new(SingleCertAndKey::from(identity));
                    self.by_server(mode, resolver).await
                }
                _ => self.by_client(mode, identity).await,
            }
        });
        let made = made.filter(|made| {
            let is_whole = contains(&extension, &made.token);
            whose == 0 && mode == 0 && is_whole
        });
        assert!(!accepted || made.is_some(), "nobody vouched for the key");
        let is_good = made.is_some_and(|made| made.extension == extension);
        assert!(accepted || !is_good, "it is genuine");
    }

    /// The peer is an end of the project that attests during the handshake, over a hostile device.
    fn made_now(&self, end: u8, whose: u8, tape: Tape<'_>) {
        let mode = usize::from(end & 1);
        let whole = Arc::new(AtomicBool::new(true));
        let device = Hostile {
            genuine: self.device.clone(),
            unknown: self.unknown.clone(),
            other: self.other.clone(),
            whose,
            presenter: if end & 2 == 0 {
                Side::Client
            } else {
                Side::Server
            },
            changes: tape.rest().to_vec(),
            whole: whole.clone(),
        };
        let accepted = in_runtime(async {
            match end & 2 {
                0 => {
                    let clock = Arc::new(DefaultTimeProvider);
                    let device = Box::new(device);
                    let resolver = InHandshake::new(device, self.provider.clone(), clock);
                    self.by_server(mode, Arc::new(resolver.expect("a thread")))
                        .await
                }
                _ => self.by_client_of_device(mode, device).await,
            }
        });
        let whole = whole.load(Ordering::Relaxed);
        let is_good = whose == 0 && mode == 1 && whole;
        // Evidence about the key alone is what the mode of certificates wants.
        let is_about_key = whose == OF_KEY && mode == 0 && whole;
        assert!(accepted || !is_good, "it is genuine");
        assert!(
            !accepted || is_good || is_about_key,
            "nobody vouched for it"
        );
    }

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
        let modes = [
            (Mode::InCertificate, Binding::Key),
            (Mode::InHandshake, Binding::Handshake),
        ];
        Self {
            made,
            servers: modes.map(|mode| server(&provider, mode, &device)),
            clients: modes.map(|mode| client(&provider, mode, &device)),
            other: signing(&provider, &other),
            device: Arc::new(device),
            unknown: Arc::new(unknown),
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

    async fn by_server(&self, mode: usize, resolver: Arc<dyn ResolvesClientCert>) -> bool {
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

    async fn by_client_of_device(&self, mode: usize, device: Hostile) -> bool {
        let identity = SingleCertAndKey::from(self.identity(&[]));
        let tls = server_tls(&self.provider).with_no_client_auth();
        let tls = tls.with_cert_resolver(Arc::new(identity));
        let terms = ServerTerms::new()
            .attester(Arc::new(device))
            .attest_in_handshake();
        let acceptor = ServerAcceptor::new(tls, terms).expect("good terms");
        let (near, far): (DuplexStream, DuplexStream) = tokio::io::duplex(PIPE);
        let showing = async {
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

/// Of the first byte of an input.
const MADE_NOW: u8 = 4;
