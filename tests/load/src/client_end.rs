//! The client of one kind of connection.

use std::error::Error;
use std::sync::Arc;

use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::weaker;
use atls_tower::weaker::InHandshake;
use rustls::ClientConfig;
use rustls::time_provider::DefaultTimeProvider;
use tokio_rustls::TlsConnector;

use crate::certificates::Certificates;
use crate::certificates::client_builder;
use crate::certificates::no_resumption;
use crate::certificates::provider;
use crate::evidence::Serial;
use crate::evidence::relying_party;
use crate::server_end::attester;
use crate::server_end::in_certificate;
use crate::service::Attests;
use crate::service::Device;
use crate::service::Kind;
use crate::service::Mode;
use crate::service::Service;

/// Opens connections of one kind.
#[derive(Clone)]
pub(crate) enum ClientEnd {
    Attested(ClientConnector),
    Plain(TlsConnector),
}

impl ClientEnd {
    pub(crate) async fn new(
        service: &Service,
        certificates: &Certificates,
    ) -> Result<Self, Box<dyn Error>> {
        // The device is the server's, unless the client alone attests.
        let own = match service.kind {
            Kind::Attested(_, Attests::Client) => *service,
            _ => Service {
                device: Device::Free,
                ..*service
            },
        };
        let mut tls = tls(&own, certificates).await?;
        tls.alpn_protocols = service.carries.alpn();
        no_resumption(&mut tls);
        match service.kind {
            // A client that only attests in its certificate is any client.
            Kind::Plain
            | Kind::PlainServed
            | Kind::MutualTls
            | Kind::Attested(Mode::InCertificate | Mode::InHandshake, Attests::Client) => {
                Ok(Self::Plain(TlsConnector::from(Arc::new(tls))))
            }
            Kind::Attested(mode, attests) => {
                let terms = terms(service, &own, (mode, attests))?;
                Ok(Self::Attested(ClientConnector::new(tls, terms)?))
            }
        }
    }
}

fn terms(
    service: &Service,
    own: &Service,
    (mode, attests): (Mode, Attests),
) -> Result<ClientTerms, Box<dyn Error>> {
    let mut terms = ClientTerms::new().servers_attest(mode.into());
    terms = if attests.server() {
        terms.require_peer(relying_party(service)?)
    } else {
        terms.dangerous_accept_unattested_servers()
    };
    if attests.client() && mode == Mode::AfterHandshake {
        terms = terms.attester(attester(own)?);
    }
    Ok(terms)
}

async fn tls(own: &Service, certificates: &Certificates) -> Result<ClientConfig, Box<dyn Error>> {
    let builder = client_builder()?;
    let builder = match own.kind {
        Kind::Attested(
            Mode::InCertificate | Mode::InHandshake,
            Attests::Both | Attests::Server,
        ) => builder
            .dangerous()
            .with_custom_certificate_verifier(weaker::dangerous_any_server(&provider())),
        _ => builder.with_root_certificates(certificates.roots()?),
    };
    Ok(match own.kind {
        Kind::MutualTls => {
            let client = certificates.client()?;
            builder.with_client_auth_cert(client.chain, client.key)?
        }
        Kind::Attested(Mode::InCertificate, Attests::Both | Attests::Client) => {
            builder.with_client_cert_resolver(in_certificate(attester(own)?).await?)
        }
        Kind::Attested(Mode::InHandshake, Attests::Both | Attests::Client) => {
            let device = Serial::new(own.evidence, own.device.wait().unwrap_or_default());
            let clock = Arc::new(DefaultTimeProvider);
            let resolver = InHandshake::new(Box::new(device), provider(), clock)?;
            builder.with_client_cert_resolver(Arc::new(resolver))
        }
        _ => builder.with_no_client_auth(),
    })
}
