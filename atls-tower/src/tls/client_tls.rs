//! The TLS handshake of a client.
//!
//! Takes a transport and gives a [`TlsSession`], which knows the key that answers for this client: that of the certificate
//! that it sent in the handshake, or else its ephemeral one. A handshake that fails is an [`Error`], and its transport is
//! dropped.

use std::cell::RefCell;
use std::io::Write;
use std::pin::pin;
use std::sync::Arc;

use atls_core::ConfigError;
use atls_core::session::Handshake;
use atls_core::session::Side;
use rustls::ClientConfig;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio_rustls::TlsConnector;
use tokio_rustls::TlsStream;

use super::hardening::harden_client;
use super::tls_session::TlsSession;
use super::versions::check_client;
use crate::error::Error;

tokio::task_local! {
    /// The key of the certificate that the handshake being driven has sent.
    static SENT: RefCell<Option<Arc<CertifiedKey>>>;
}

/// Hardens a configuration.
///
/// # Errors
/// [`ConfigError::Tls`] for a configuration or provider without TLS 1.3.
pub(crate) fn prepare_client(config: ClientConfig) -> Result<ClientConfig, ConfigError> {
    let config = harden_client(config);
    check_client(&config)?;
    Ok(config)
}

/// A hardened TLS configuration, and the key of a client that attests and sends no certificate.
#[derive(Clone, Debug)]
pub(crate) struct ClientTls {
    config: Arc<ClientConfig>,
    identity: Option<Arc<CertifiedKey>>,
}

impl ClientTls {
    /// `identity` is `None` for a client that does not attest.
    pub(crate) fn new(mut config: ClientConfig, identity: Option<Arc<CertifiedKey>>) -> Self {
        if identity.is_some() && config.client_auth_cert_resolver.has_certs() {
            config.client_auth_cert_resolver = Arc::new(SentCertificate {
                application: config.client_auth_cert_resolver,
            });
        }
        Self {
            config: Arc::new(config),
            identity,
        }
    }

    /// Does the handshake. `request` leaves in the flight of the client's Finished: after the server's certificate was
    /// verified, and without waking the server once more.
    pub(crate) async fn connect<IO>(
        &self,
        name: ServerName<'static>,
        io: IO,
        request: &[u8],
    ) -> Result<TlsSession<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let mut buffered = Ok(());
        let (stream, sent) = {
            let connect = pin!(async {
                let connector = TlsConnector::from(self.config.clone());
                let stream = connector.connect_with(name, io, |tls| {
                    buffered = tls.writer().write_all(request);
                });
                (stream.await, SENT.with(RefCell::take))
            });
            SENT.scope(RefCell::default(), connect).await
        };
        let stream = stream.map_err(|error| Error::tls(Side::Server, error))?;
        buffered.map_err(Error::writing)?;
        let identity = sent.or_else(|| self.identity.clone());
        let handshake = Handshake::client(stream.get_ref().1, identity)?;
        Ok(TlsSession {
            tls: Box::new(TlsStream::Client(stream)),
            handshake,
        })
    }
}

/// Notes the key of the certificate that a handshake sends: a client that sends one must answer with its key.
#[derive(Debug)]
struct SentCertificate {
    application: Arc<dyn ResolvesClientCert>,
}

impl ResolvesClientCert for SentCertificate {
    fn resolve(
        &self,
        root_hints: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let key = self.application.resolve(root_hints, schemes)?;
        // Without a common scheme rustls sends no certificate after all.
        if key.key.choose_scheme(schemes).is_some() {
            // A certificate that could not be noted is not sent.
            SENT.try_with(|sent| sent.replace(Some(key.clone()))).ok()?;
        }
        Some(key)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.application.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.application.has_certs()
    }
}
