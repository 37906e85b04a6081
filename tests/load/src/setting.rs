//! The same certificates and provider for every kind of connection.

use std::error::Error;
use std::sync::Arc;

use atls_core::RelyingParty;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use demo::Authority;
use demo::Issued;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::TlsConnector;

use crate::free::Free;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    MutualTls,
    ServerAttests,
    BothAttest,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [
        Self::Plain,
        Self::MutualTls,
        Self::ServerAttests,
        Self::BothAttest,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain TLS 1.3",
            Self::MutualTls => "mutual TLS",
            Self::ServerAttests => "server attests",
            Self::BothAttest => "both attest",
        }
    }
}

/// Both ends of one kind of connection.
#[derive(Clone)]
pub(crate) enum Ends {
    Plain(TlsAcceptor, TlsConnector),
    Attested(ServerAcceptor, ClientConnector),
}

pub(crate) struct Setting {
    authority: Authority,
    server: Issued,
    client: Issued,
}

impl Setting {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let authority = Authority::new()?;
        Ok(Self {
            server: authority.issue()?,
            client: authority.issue_client()?,
            authority,
        })
    }

    pub(crate) fn ends(&self, kind: Kind) -> Result<Ends, Box<dyn Error>> {
        let mutual = kind == Kind::MutualTls;
        let (server, client) = (self.server_tls(mutual)?, self.client_tls(mutual)?);
        let free = Arc::new(Free::new());
        let relying_party = RelyingParty::builder().verifier(free.clone()).build()?;
        let relying_party = Arc::new(relying_party);
        let mut server_terms = ServerTerms::new().attester(free.clone());
        let mut client_terms = ClientTerms::new().require_peer(relying_party.clone());
        match kind {
            Kind::Plain | Kind::MutualTls => {
                return Ok(Ends::Plain(
                    TlsAcceptor::from(Arc::new(server)),
                    TlsConnector::from(Arc::new(client)),
                ));
            }
            Kind::ServerAttests => {}
            Kind::BothAttest => {
                server_terms = server_terms.require_peer(relying_party);
                client_terms = client_terms.attester(free);
            }
        }
        Ok(Ends::Attested(
            ServerAcceptor::new(server, server_terms)?,
            ClientConnector::new(client, client_terms)?,
        ))
    }

    fn server_tls(&self, mutual: bool) -> Result<ServerConfig, Box<dyn Error>> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let builder = if mutual {
            let roots = Arc::new(self.authority.roots()?);
            let clients = WebPkiClientVerifier::builder_with_provider(roots, provider());
            builder.with_client_cert_verifier(clients.build()?)
        } else {
            builder.with_no_client_auth()
        };
        let mut tls =
            builder.with_single_cert(self.server.chain.clone(), self.server.key.clone_key())?;
        tls.send_tls13_tickets = 0;
        tls.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(tls)
    }

    fn client_tls(&self, mutual: bool) -> Result<ClientConfig, Box<dyn Error>> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(self.authority.roots()?);
        let mut tls = if mutual {
            builder.with_client_auth_cert(self.client.chain.clone(), self.client.key.clone_key())?
        } else {
            builder.with_no_client_auth()
        };
        tls.resumption = Resumption::disabled();
        Ok(tls)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
