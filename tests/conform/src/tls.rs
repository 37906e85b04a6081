//! TLS of the kit: configurations, and verifiers that take anybody.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

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
use tokio::net::TcpStream;

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
    pub fn client(&self) -> Result<ClientConfig, Box<dyn Error + Send + Sync>> {
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
pub(crate) struct Presented {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) is_asked: Arc<AtomicBool>,
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
