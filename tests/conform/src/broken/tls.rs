//! TLS of the broken peers, and what they do of HTTP.

use std::error::Error;
use std::io;
use std::sync::Arc;

use adversary::Link;
use rustls::CertificateError;
use rustls::ClientConfig;
use rustls::DigitallySignedStruct;
use rustls::ServerConfig;
use rustls::SignatureScheme;
use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::server::ServerSessionMemoryCache;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsStream;

use super::manners::Manners;
use crate::breach::Breach;
use crate::habit::Habit;
use crate::kit::Kit;
use crate::party::Got;
use crate::party::Party;
use crate::tls::Tls;
use crate::tls::any_client;
use crate::twist::Twist;
use crate::wire::request::Parameters;

type Failure = Box<dyn Error + Send + Sync>;

pub(super) fn server(kit: &Kit, manners: Manners) -> Result<ServerConfig, Failure> {
    let provider = provider(manners);
    let versions: &[_] = match manners.has(Habit::TakesTls12) {
        true => rustls::ALL_VERSIONS,
        false => &[&rustls::version::TLS13],
    };
    let mut tls = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(any_client(provider.clone()))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(kit.keys.server.clone())));
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    tls.send_tls13_tickets = 0;
    let gives = [Habit::SendsTickets, Habit::Resumes, Habit::TakesEarlyData];
    if gives.into_iter().any(|habit| manners.has(habit)) {
        tls.send_tls13_tickets = 2;
    }
    if manners.has(Habit::Resumes) || manners.has(Habit::TakesEarlyData) {
        // rustls resumes nothing where clients may have certificates of its own store; without a verifier it does.
        let mut open = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(kit.keys.server.clone())));
        open.alpn_protocols = tls.alpn_protocols;
        open.send_tls13_tickets = 2;
        open.session_storage = ServerSessionMemoryCache::new(64);
        if manners.has(Habit::TakesEarlyData) {
            open.max_early_data_size = 1000;
        }
        return Ok(open);
    }
    if manners.has(Habit::SendsTickets) {
        // A ticket that nobody takes back.
        tls.session_storage = ServerSessionMemoryCache::new(1);
        tls.ticketer = Arc::new(Worthless);
    }
    Ok(tls)
}

/// Only a binder of SHA-384 is long enough for a part of it to be Evidence.
fn provider(manners: Manners) -> Arc<CryptoProvider> {
    let tls = Tls {
        only_sha384: manners.breach == Some(Breach::Sends(Twist::PrefixBinder)),
        ..Tls::default()
    };
    tls.provider()
}

/// Makes tickets and takes none.
#[derive(Debug)]
struct Worthless;

impl rustls::server::ProducesTickets for Worthless {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        3600
    }

    fn encrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        Some(vec![7; 32])
    }

    fn decrypt(&self, _: &[u8]) -> Option<Vec<u8>> {
        None
    }
}

/// `None` where the connection was of a kind that the exchange is not for, and is over.
pub(super) async fn accept(
    tls: Arc<ServerConfig>,
    socket: TcpStream,
    key: Arc<CertifiedKey>,
) -> Option<Link> {
    let mut stream = TlsAcceptor::from(tls).accept(socket).await.ok()?;
    let connection = stream.get_ref().1;
    let is_full = connection.handshake_kind() != Some(rustls::HandshakeKind::Resumed);
    let is_new = connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
    if is_full && is_new {
        return Link::on(TlsStream::Server(stream), key).ok();
    }
    let _ = stream.read_u8().await;
    let _ = stream.write_all(ANSWER).await;
    let _ = stream.shutdown().await;
    None
}

pub(super) fn client(kit: &Kit, manners: Manners) -> Result<ClientConfig, Failure> {
    let provider = provider(manners);
    let versions: &[_] = match manners.has(Habit::TakesTls12) {
        true => rustls::ALL_VERSIONS,
        false => &[&rustls::version::TLS13],
    };
    let roots = kit.keys.roots().map_err(|error| error.to_string())?;
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Lenient {
            inner: inner.build()?,
            manners,
        }))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    if manners.breach == Some(Breach::Sends(Twist::OtherKey)) {
        tls.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(kit.keys.client.clone()));
    }
    let resumes = [Habit::OffersResumption, Habit::SendsEarlyData];
    tls.resumption = match resumes.into_iter().any(|habit| manners.has(habit)) {
        true => Resumption::in_memory_sessions(64),
        false => Resumption::disabled(),
    };
    tls.enable_early_data = manners.has(Habit::SendsEarlyData);
    Ok(tls)
}

/// PKIX, but for one kind of error.
#[derive(Debug)]
struct Lenient {
    inner: Arc<WebPkiServerVerifier>,
    manners: Manners,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(leaf, chain, name, ocsp, now);
        let is_taken = match &verified {
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                self.manners.has(Habit::TakesUntrusted)
            }
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => self.manners.has(Habit::TakesOtherName),
            _ => false,
        };
        match is_taken {
            true => Ok(ServerCertVerified::assertion()),
            false => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

pub(super) fn party(kit: &Kit, link: Link, manners: Manners, key: Arc<CertifiedKey>) -> Party {
    Party {
        link,
        keys: kit.keys.clone(),
        source: kit.source.clone(),
        // It outlives the kit's patience: what is open is seen to be open.
        limit: kit.limit.saturating_mul(3),
        key,
        has_certificate: true,
        longest: 131_072,
        habit: manners.habit(),
        spent: Vec::new(),
    }
}

/// Answers one request of HTTP.
pub(super) async fn serve_http(party: &mut Party) -> Option<()> {
    match party.next().await {
        Got::Other(b'G') => answer_http(party).await,
        _ => None,
    }
}

pub(super) async fn answer_http(party: &mut Party) -> Option<()> {
    party.write_bytes(ANSWER).await;
    let closed: io::Result<()> = party.link.tls.shutdown().await;
    closed.ok()
}

/// Parameters that offer nothing.
pub(super) fn nothing() -> Parameters {
    Parameters {
        formats: Vec::new(),
        batches: false,
        verdicts: false,
        wants: true,
        last: 0,
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
