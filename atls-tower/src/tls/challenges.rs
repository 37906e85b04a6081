//! Connections on which an ACME server validates a name of this server: tls-alpn-01, RFC 8737.
//!
//! Such a connection is a TLS handshake with a certificate that answers the challenge, and nothing after it. It never becomes a
//! stream: none of its bytes are read, no Evidence is made for it, and no request can come over it. Only a ClientHello that offers
//! `acme-tls/1` alone, and for which there is an answer, begins one; all others go the way that they would go without challenges.

use std::sync::Arc;

use atls_core::ConfigError;
use atls_core::session::Side;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio_rustls::StartHandshake;

use super::hardening::harden_server;
use crate::error::Error;

/// The application's answers to challenges.
#[derive(Clone, Debug)]
pub(crate) struct Challenges {
    answers: Arc<dyn ResolvesServerCert>,
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
}

impl Challenges {
    /// With the provider and clock of this configuration.
    pub(super) fn new(answers: Arc<dyn ResolvesServerCert>, tls: &ServerConfig) -> Self {
        Self {
            answers,
            provider: tls.crypto_provider().clone(),
            clock: tls.time_provider.clone(),
        }
    }

    /// Answers a challenge and closes its connection. Gives any other connection back.
    ///
    /// # Errors
    /// One of [`Error::is_acme_challenge`] for a challenge that was answered, or those of TLS.
    pub(super) async fn answer<IO>(
        &self,
        start: StartHandshake<IO>,
    ) -> Result<StartHandshake<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(answer) = self.answer_to(start.client_hello()) else {
            return Ok(start);
        };
        let config = Arc::new(self.config(answer)?);
        let answered = start.into_stream(config).await;
        let mut stream = answered.map_err(|error| Error::tls(Side::Client, error))?;
        // The connection ends either way.
        let _ = stream.shutdown().await;
        Err(Error::acme_challenge())
    }

    fn answer_to(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // RFC 8737 §3: a list with this protocol alone.
        hello.alpn()?.eq([ACME_TLS]).then_some(())?;
        self.answers.resolve(hello)
    }

    /// The configuration of one challenge. It has nothing of that of the server but provider and clock.
    fn config(&self, answer: Arc<CertifiedKey>) -> Result<ServerConfig, ConfigError> {
        let config = ServerConfig::builder_with_details(self.provider.clone(), self.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| ConfigError::Tls("its provider has no TLS 1.3 cipher suite"))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(answer)));
        let mut config = harden_server(config);
        config.alpn_protocols = vec![ACME_TLS.to_vec()];
        Ok(config)
    }
}

/// The application's protocols, of which this must be none: whoever offered it would be served under it.
///
/// # Errors
/// [`ConfigError::Tls`] where it is one of them.
pub(super) fn check_alpn(tls: &ServerConfig) -> Result<(), ConfigError> {
    if tls.alpn_protocols.iter().any(|name| name == ACME_TLS) {
        return Err(ConfigError::Tls(
            "`acme-tls/1` carries no application; give the certificates of challenges to \
             `ServerTerms::tls_alpn_01` instead",
        ));
    }
    Ok(())
}

/// RFC 8737 §6.2.
const ACME_TLS: &[u8] = b"acme-tls/1";
