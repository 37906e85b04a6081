//! Tests of services, without sockets.

use std::sync::Arc;

use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::RelyingParty;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;

use crate::acceptor::ServerAcceptor;
use crate::connector::ClientConnector;
use crate::error::Error;
use crate::identity;
use crate::layer::AttestationLayer;
use crate::terms::ClientTerms;
use crate::terms::ServerTerms;

/// The layer of a connection whose client attested itself, over memory: the real handshake, exchange and decision,
/// with an attester and a relying party of your choice.
///
/// # Errors
/// Those of a connection over sockets, the refusals of the relying party among them.
pub async fn attested(
    provider: Arc<CryptoProvider>,
    attester: Arc<dyn Attester>,
    relying_party: Arc<RelyingParty>,
) -> Result<AttestationLayer, Error> {
    let identity = identity::for_name(&provider, SERVER)?;
    let unsuitable = |_| ConfigError::Tls("the provider cannot do TLS 1.3");

    let mut roots = RootCertStore::empty();
    for certificate in &identity.cert {
        roots
            .add(certificate.clone())
            .map_err(|_| ConfigError::Identity)?;
    }
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unsuitable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unsuitable)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)));
    // The server is made here, so no other server can be accepted.
    let terms = ClientTerms::new()
        .attester(attester)
        .dangerous_accept_unattested_servers();
    let connector = ClientConnector::new(client, terms)?;
    let acceptor = ServerAcceptor::new(server, ServerTerms::new().require_peer(relying_party))?;

    let (client_io, server_io) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from(SERVER).map_err(|_| ConfigError::Identity)?;
    let (connected, accepted) = tokio::join!(
        connector.connect(name, client_io),
        acceptor.accept(server_io)
    );
    // The server's error has the reason.
    let accepted = accepted?;
    connected?;
    Ok(accepted.layer())
}

const SERVER: &str = "localhost";
