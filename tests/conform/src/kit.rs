//! The kit: what it presents, whom it tests, and how it gets to a connection.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adversary::Link;
use atls_core::BoxFuture;
use atls_core::session::Side;
use rustls::CipherSuite;
use rustls::ClientConfig;
use rustls::DigitallySignedStruct;
use rustls::DistinguishedName;
use rustls::ServerConfig;
use rustls::SignatureScheme;
use rustls::SupportedProtocolVersion;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::server::danger::ClientCertVerified;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::evidence::Source;
use crate::keys::Keys;
use crate::keys::TOKEN;
use crate::party::MOST;
use crate::party::Party;

/// What the kit presents, and how long it waits.
#[derive(Clone, Debug)]
pub struct Kit {
    pub keys: Arc<Keys>,
    pub source: Source,
    /// The media types that the kit's requests list. It appraises none of them.
    pub formats: Vec<String>,
    /// Whether a server under test refuses clients that do not attest. A client's own request tells it.
    pub demands: bool,
    /// The longest wait for anything of the peer.
    pub limit: Duration,
    /// The name by which the kit's clients call a server.
    pub name: String,
}

/// Makes the client under test connect, once for each call.
pub trait Dial: Send + Sync {
    /// Connects to this address, does what a client does, and ends with the connection.
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()>;
}

/// The peer under test.
#[derive(Clone)]
pub enum Target {
    /// A server that listens here.
    Server(SocketAddr),
    /// A client, which can be made to connect to any address of this machine.
    Client(Arc<dyn Dial>),
    /// A client that connects to this listener by itself, again and again.
    Visitors(Arc<TcpListener>),
}

impl Target {
    /// The side of the peer.
    pub fn side(&self) -> Side {
        match self {
            Self::Server(_) => Side::Server,
            Self::Client(_) | Self::Visitors(_) => Side::Client,
        }
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Server(_) => "Server",
            Self::Client(_) => "Client",
            Self::Visitors(_) => "Visitors",
        })
    }
}

impl Kit {
    /// # Errors
    /// Those of [`Keys::generate`].
    pub fn new(keys: Keys) -> Self {
        Self {
            keys: Arc::new(keys),
            source: Source::Device,
            formats: vec![TOKEN.to_owned()],
            demands: true,
            limit: Duration::from_secs(5),
            name: "localhost".to_owned(),
        }
    }

    /// A TCP connection with the peer.
    ///
    /// # Errors
    /// Where there is none within the limit.
    pub async fn socket(&self, target: &Target) -> io::Result<TcpStream> {
        let connecting = async {
            match target {
                Target::Server(address) => TcpStream::connect(address).await,
                Target::Client(client) => {
                    let listener = TcpListener::bind("127.0.0.1:0").await?;
                    tokio::spawn(client.dial(listener.local_addr()?));
                    Ok(listener.accept().await?.0)
                }
                Target::Visitors(listener) => Ok(listener.accept().await?.0),
            }
        };
        let patience = match target {
            Target::Visitors(_) => self.limit.saturating_mul(60),
            _ => self.limit.saturating_mul(2),
        };
        timeout(patience, connecting)
            .await
            .map_err(|_| io::Error::other("the peer did not connect"))?
    }

    /// A TLS connection with the peer, and nothing of the protocol on it.
    ///
    /// # Errors
    /// Where there is none within the limit.
    pub async fn meet(&self, target: &Target, tls: &Tls) -> io::Result<Party> {
        let socket = self.socket(target).await?;
        let is_asked = Arc::new(AtomicBool::new(target.side() == Side::Client));
        let (link, key) = match target {
            Target::Server(_) => {
                let mut config = tls.client(self).map_err(io::Error::other)?;
                let key = tls.key.clone().unwrap_or_else(|| self.keys.client.clone());
                if tls.certificate {
                    config.client_auth_cert_resolver = Arc::new(Presented {
                        key: key.clone(),
                        is_asked: is_asked.clone(),
                    });
                }
                let name = self.server_name()?;
                let connecting =
                    Link::connect_to(Arc::new(config), name, socket, Some(key.clone()));
                (timeout(self.limit, connecting).await, key)
            }
            Target::Client(_) | Target::Visitors(_) => {
                let key = tls.key.clone().unwrap_or_else(|| self.keys.server.clone());
                let config = Arc::new(tls.server(key.clone()).map_err(io::Error::other)?);
                let accepting = Link::accept(config, socket, key.clone());
                (timeout(self.limit, accepting).await, key)
            }
        };
        Ok(Party {
            link: link.map_err(|_| io::Error::other("no TLS handshake within the limit"))??,
            keys: self.keys.clone(),
            source: self.source.clone(),
            limit: self.limit,
            key,
            // What a peer may not send is looked at all the same.
            longest: MOST,
            habit: None,
            has_certificate: is_asked.load(Ordering::SeqCst),
            spent: Vec::new(),
        })
    }

    pub fn server_name(&self) -> io::Result<ServerName<'static>> {
        ServerName::try_from(self.name.clone()).map_err(io::Error::other)
    }
}

/// How a connection of the kit is set up.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Suites of SHA-384 alone.
    pub only_sha384: bool,
    /// The key of TLS and authenticators; the usual one where there is none.
    pub key: Option<Arc<CertifiedKey>>,
    /// A client presents a certificate, if the server asks for one.
    pub certificate: bool,
    /// A server gives tickets.
    pub tickets: usize,
}

impl Tls {
    pub(crate) fn provider(&self) -> Arc<CryptoProvider> {
        let mut provider = rustls::crypto::ring::default_provider();
        let sha384 = CipherSuite::TLS13_AES_256_GCM_SHA384;
        if self.only_sha384 {
            provider
                .cipher_suites
                .retain(|suite| suite.suite() == sha384);
        } else {
            // SHA-256 first, so that both hashes are met.
            provider
                .cipher_suites
                .sort_by_key(|suite| suite.suite() == sha384);
        }
        Arc::new(provider)
    }

    /// Takes any server: the kit appraises nothing, names included.
    ///
    /// # Errors
    /// Those of rustls.
    pub fn client(&self, _: &Kit) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
        client(self.provider(), &rustls::version::TLS13)
    }

    /// # Errors
    /// Those of rustls.
    pub fn server(
        &self,
        key: Arc<CertifiedKey>,
    ) -> Result<ServerConfig, Box<dyn Error + Send + Sync>> {
        let mut tls = server(self.provider(), &rustls::version::TLS13, key)?;
        tls.send_tls13_tickets = self.tickets;
        Ok(tls)
    }
}

/// A client of this version that takes any server.
///
/// # Errors
/// Those of rustls.
pub fn client(
    provider: Arc<CryptoProvider>,
    version: &'static SupportedProtocolVersion,
) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
    let mut tls = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody { provider }))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

/// A server of this version. It takes any certificate of a client, or none.
///
/// # Errors
/// Those of rustls.
pub fn server(
    provider: Arc<CryptoProvider>,
    version: &'static SupportedProtocolVersion,
    key: Arc<CertifiedKey>,
) -> Result<ServerConfig, Box<dyn Error + Send + Sync>> {
    let mut tls = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])?
        .with_client_cert_verifier(any_client(provider))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    tls.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    tls.send_tls13_tickets = 0;
    tls.ignore_client_order = true;
    Ok(tls)
}

/// The bytes of the first record, left in the socket.
///
/// # Errors
/// Where the peer closes before.
pub async fn first_record(socket: &TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        socket.readable().await?;
        let seen = socket.peek(&mut bytes).await?;
        let head = bytes.get(..seen).unwrap_or_default();
        let claimed = match head {
            [_, _, _, high, low, ..] => u16::from_be_bytes([*high, *low]),
            [] => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => u16::MAX,
        };
        let wanted = usize::from(claimed).saturating_add(5).min(bytes.len());
        if let Some(record) = head.get(..wanted) {
            return Ok(record.to_vec());
        }
        // Peeked bytes keep the socket readable, and more may take a while.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A server that names these acceptable authorities.
///
/// # Errors
/// Those of rustls.
pub fn server_asking(
    provider: Arc<CryptoProvider>,
    key: Arc<CertifiedKey>,
    hints: Vec<DistinguishedName>,
) -> Result<ServerConfig, Box<dyn Error + Send + Sync>> {
    let client = AnyClient {
        provider: provider.clone(),
        hints,
    };
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(client))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
    tls.alpn_protocols = vec![b"http/1.1".to_vec(), b"h2".to_vec()];
    tls.send_tls13_tickets = 0;
    Ok(tls)
}

/// Presents a certificate, and notes that the server asked for one.
#[derive(Debug)]
struct Presented {
    key: Arc<CertifiedKey>,
    is_asked: Arc<AtomicBool>,
}

impl ResolvesClientCert for Presented {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_asked.store(true, Ordering::SeqCst);
        Some(self.key.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Takes any certificate whose key signs the handshake.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}

/// Takes any client, with a certificate or without.
pub fn any_client(provider: Arc<CryptoProvider>) -> Arc<dyn ClientCertVerifier> {
    let hints = Vec::new();
    Arc::new(AnyClient { provider, hints })
}

#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
    hints: Vec<DistinguishedName>,
}

impl ClientCertVerifier for AnyClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &self.provider.signature_verification_algorithms;
        known.supported_schemes()
    }
}
