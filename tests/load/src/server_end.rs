//! The server of one kind of connection.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use atls_core::Attester;
use atls_tower::Batcher;
use atls_tower::Blocking;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker;
use atls_tower::weaker::CertificateProfile;
use atls_tower::weaker::InCertificate;
use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::DefaultTimeProvider;
use tokio_rustls::TlsAcceptor;

use crate::certificates::Certificates;
use crate::certificates::full_handshakes_only;
use crate::certificates::provider;
use crate::certificates::server_builder;
use crate::evidence::Free;
use crate::evidence::Serial;
use crate::evidence::relying_party;
use crate::service::Attests;
use crate::service::Batches;
use crate::service::Device;
use crate::service::Kind;
use crate::service::Mode;
use crate::service::Service;

/// Accepts connections of one kind.
#[derive(Clone)]
pub(crate) enum ServerEnd {
    Attested(ServerAcceptor),
    Plain(TlsAcceptor),
}

impl ServerEnd {
    pub(crate) async fn new(
        service: &Service,
        certificates: &Certificates,
    ) -> Result<Self, Box<dyn Error>> {
        let mut tls = tls(service, certificates).await?;
        tls.alpn_protocols = service.carries.alpn();
        full_handshakes_only(&mut tls);
        match service.kind {
            Kind::Plain | Kind::MutualTls => Ok(Self::Plain(TlsAcceptor::from(Arc::new(tls)))),
            Kind::PlainServed => {
                let acceptor = ServerAcceptor::new(tls, ServerTerms::plain())?;
                Ok(Self::Attested(acceptor))
            }
            Kind::Attested(mode, attests) => {
                // No bound of the server is measured.
                let terms = terms(service, mode, attests)?.at_once(usize::MAX, usize::MAX);
                Ok(Self::Attested(ServerAcceptor::new(tls, terms)?))
            }
        }
    }
}

fn terms(service: &Service, mode: Mode, attests: Attests) -> Result<ServerTerms, Box<dyn Error>> {
    let mut terms = match (mode, attests) {
        (Mode::InCertificate, Attests::Server) => ServerTerms::plain(),
        _ => ServerTerms::new(),
    };
    if attests.server() {
        terms = match mode {
            Mode::AfterHandshake => terms.attester(attester(service)?),
            Mode::InCertificate => terms,
            Mode::InHandshake => terms.attester(attester(service)?).attest_in_handshake(),
        };
    }
    if attests.client() {
        terms = terms
            .require_peer(relying_party(service)?)
            .clients_attest(mode.into());
    }
    Ok(terms)
}

async fn tls(
    service: &Service,
    certificates: &Certificates,
) -> Result<ServerConfig, Box<dyn Error>> {
    let builder = server_builder()?;
    let builder = match service.kind {
        Kind::MutualTls => {
            let roots = Arc::new(certificates.roots()?);
            let clients = WebPkiClientVerifier::builder_with_provider(roots, provider());
            builder.with_client_cert_verifier(clients.build()?)
        }
        Kind::Attested(Mode::InCertificate, Attests::Both | Attests::Client) => {
            builder.with_client_cert_verifier(weaker::dangerous_any_client(&provider()))
        }
        _ => builder.with_no_client_auth(),
    };
    Ok(match service.kind {
        Kind::Attested(Mode::InCertificate, Attests::Both | Attests::Server) => {
            builder.with_cert_resolver(in_certificate(attester(service)?).await?)
        }
        _ => {
            let own = certificates.server()?;
            builder.with_single_cert(own.chain, own.key)?
        }
    })
}

/// One certificate for the whole measurement.
pub(crate) async fn in_certificate(
    attester: Arc<dyn Attester>,
) -> Result<Arc<InCertificate>, atls_tower::Error> {
    let profile = CertificateProfile::new(Duration::from_secs(24 * 60 * 60)).name("localhost");
    let made_by = (provider(), Arc::new(DefaultTimeProvider) as _);
    InCertificate::new(attester, made_by, profile).await
}

pub(crate) fn attester(service: &Service) -> std::io::Result<Arc<dyn Attester>> {
    let size = service.evidence;
    Ok(match service.device {
        Device::Free => Arc::new(Free::new(size)),
        Device::Serial(milliseconds, batches) => {
            let device = Serial::new(size, Duration::from_millis(milliseconds));
            let device = Blocking::spawn(device)?;
            match batches {
                Batches::No => Arc::new(device),
                // No bound of the server is measured.
                Batches::Yes => Arc::new(Batcher::builder(device).waiting(100_000).spawn()?),
            }
        }
    })
}

impl From<Mode> for weaker::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::AfterHandshake => Self::AfterHandshake,
            Mode::InCertificate => Self::InCertificate,
            Mode::InHandshake => Self::InHandshake,
        }
    }
}
