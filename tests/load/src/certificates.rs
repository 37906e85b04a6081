//! The same certificates and provider for every kind of connection, in both processes.

use std::error::Error;
use std::sync::Arc;

use demo::Authority;
use demo::Issued;
use demo::roots_of;
use rustls::ClientConfig;
use rustls::ConfigBuilder;
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::WantsVerifier;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::NoServerSessionStorage;
use serde::Deserialize;
use serde::Serialize;

/// An authority's certificate, and what it issued to the two ends: ECDSA P-256.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Certificates {
    authority: String,
    server: Identity,
    client: Identity,
}

/// A certificate and its key, in DER.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    chain: Vec<Vec<u8>>,
    key: Vec<u8>,
}

impl Certificates {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let authority = Authority::new()?;
        Ok(Self {
            server: authority.issue()?.into(),
            client: authority.issue_client()?.into(),
            authority: authority.pem(),
        })
    }

    pub(crate) fn roots(&self) -> Result<RootCertStore, Box<dyn Error>> {
        roots_of(&self.authority)
    }

    pub(crate) fn server(&self) -> Result<Issued, Box<dyn Error>> {
        self.server.issued()
    }

    pub(crate) fn client(&self) -> Result<Issued, Box<dyn Error>> {
        self.client.issued()
    }
}

impl Identity {
    fn issued(&self) -> Result<Issued, Box<dyn Error>> {
        let chain = self.chain.iter().cloned().map(CertificateDer::from);
        Ok(Issued {
            chain: chain.collect(),
            key: PrivateKeyDer::try_from(self.key.clone())?,
        })
    }
}

impl From<Issued> for Identity {
    fn from(issued: Issued) -> Self {
        Self {
            chain: issued.chain.iter().map(|der| der.to_vec()).collect(),
            key: issued.key.secret_der().to_vec(),
        }
    }
}

pub(crate) fn server_builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error>
{
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
}

pub(crate) fn client_builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error>
{
    ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
}

/// No tickets and no resumption, as in attested connections: every handshake is a full one.
pub(crate) fn full_handshakes_only(tls: &mut ServerConfig) {
    tls.send_tls13_tickets = 0;
    tls.session_storage = Arc::new(NoServerSessionStorage {});
}

pub(crate) fn no_resumption(tls: &mut ClientConfig) {
    tls.resumption = Resumption::disabled();
}

/// That of most applications.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
