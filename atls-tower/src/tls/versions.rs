//! Whether a TLS configuration speaks TLS 1.3.
//!
//! rustls does not show the versions of a configuration, so the check is one ClientHello in memory, before any connection.
//! Without the check every peer would be refused, and the log would blame the peer.

use std::sync::Arc;

use atls_core::ConfigError;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::DigitallySignedStruct;
use rustls::PeerIncompatible;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::SignatureScheme;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;

pub(crate) fn check_server(config: &ServerConfig) -> Result<(), ConfigError> {
    let client = ClientConfig::builder_with_provider(config.crypto_provider().clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| NO_SUITE)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NeverAsked))
        .with_no_client_auth();
    let mut server = config.clone();
    // The application's resolver shall not see a client that does not exist.
    server.cert_resolver = Arc::new(NeverAsked);
    ask(client, server)
}

pub(crate) fn check_client(config: &ClientConfig) -> Result<(), ConfigError> {
    let server = ServerConfig::builder_with_provider(config.crypto_provider().clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| NO_SUITE)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(NeverAsked));
    ask(config.clone(), server)
}

/// One of the two speaks TLS 1.3 alone, so they agree on that or on nothing.
fn ask(client: ClientConfig, server: ServerConfig) -> Result<(), ConfigError> {
    let broken = |_| ConfigError::Tls("no handshake can begin under it");
    let name = ServerName::try_from("localhost").map_err(|_| ConfigError::Identity)?;
    let mut client = ClientConnection::new(Arc::new(client), name).map_err(broken)?;
    let mut server = ServerConnection::new(Arc::new(server)).map_err(broken)?;
    let mut hello = Vec::new();
    client
        .write_tls(&mut hello)
        .and_then(|_| server.read_tls(&mut hello.as_slice()))
        .map_err(|_| ConfigError::Tls("no handshake can begin under it"))?;
    match server.process_new_packets() {
        Err(rustls::Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        )) => Err(TOO_OLD),
        // rustls checks the versions first. Without a certificate the handshake ends here in any case.
        _ => Ok(()),
    }
}

const TOO_OLD: ConfigError =
    ConfigError::Tls("it does not speak TLS 1.3; add `rustls::version::TLS13` to its versions");

const NO_SUITE: ConfigError = ConfigError::Tls("its provider has no TLS 1.3 cipher suite");

/// Stands where a certificate or its verification would be, after the versions.
#[derive(Debug)]
struct NeverAsked;

impl ResolvesServerCert for NeverAsked {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

impl ServerCertVerifier for NeverAsked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Err(refused())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(refused())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(refused())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}

fn refused() -> rustls::Error {
    rustls::Error::General(
        "nothing is verified by a handshake that only asks for versions".to_owned(),
    )
}
