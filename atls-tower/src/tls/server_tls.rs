//! The TLS handshake of a server.
//!
//! Takes a transport and gives a [`TlsSession`], which knows the key that the handshake used. The authenticators of the
//! connection are signed with that very key, so a certificate resolver that rotates keys must not be asked twice: rustls
//! asks again after a HelloRetryRequest. [`OneKey`] stands between the two and asks once per handshake.
//!
//! A handshake that fails is an [`Error`], and its transport is dropped.

use std::cell::OnceCell;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use atls_core::ConfigError;
use atls_core::ProtocolError;
use atls_core::session::Handshake;
use atls_core::session::Side;
use rustls::ServerConfig;
use rustls::server::Acceptor;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::StartHandshake;
use tokio_rustls::TlsStream;
use tokio_rustls::server;

use super::challenges::Challenges;
use super::challenges::check_alpn;
use super::hardening::harden_server;
use super::served_names::NoKey;
use super::served_names::ServedNames;
use super::tls_session::TlsSession;
use super::versions::check_server;
use crate::error::Error;

tokio::task_local! {
    /// The key of the handshake that is being driven. Empty until rustls asks.
    static KEY: OnceCell<Result<Arc<CertifiedKey>, NoKey>>;
}

/// A hardened TLS configuration whose handshakes use one key each.
#[derive(Clone, Debug)]
pub(crate) struct ServerTls {
    config: Arc<ServerConfig>,
    /// `None` for a server that answers none.
    challenges: Option<Challenges>,
}

impl ServerTls {
    /// Answers ACME's challenges by `challenges`, if it is given.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] for a configuration or provider without TLS 1.3, or with ACME's protocol as one of the application.
    pub(crate) fn new(
        config: ServerConfig,
        challenges: Option<Arc<dyn ResolvesServerCert>>,
    ) -> Result<Self, ConfigError> {
        let mut config = harden_server(config);
        check_server(&config)?;
        check_alpn(&config)?;
        let challenges = challenges.map(|answers| Challenges::new(answers, &config));
        config.cert_resolver = Arc::new(OneKey {
            application: config.cert_resolver,
            names: ServedNames::new(),
        });
        Ok(Self {
            config: Arc::new(config),
            challenges,
        })
    }

    /// The same configuration with another client verifier.
    ///
    /// rustls fixes the verifier when a configuration is built, so this builds a new one and copies the settings, but for those that
    /// hardening has put out of use.
    ///
    /// # Errors
    /// [`ConfigError::Tls`] for a provider without TLS 1.3.
    pub(crate) fn with_client_verifier(
        &self,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<Self, ConfigError> {
        let old = &self.config;
        let provider = old.crypto_provider().clone();
        let config = ServerConfig::builder_with_details(provider, old.time_provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| ConfigError::Tls("its provider has no TLS 1.3 cipher suite"))?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(old.cert_resolver.clone());
        let mut config = harden_server(config);
        config.alpn_protocols.clone_from(&old.alpn_protocols);
        config.cert_compression_cache = old.cert_compression_cache.clone();
        config.cert_compressors.clone_from(&old.cert_compressors);
        config
            .cert_decompressors
            .clone_from(&old.cert_decompressors);
        config.enable_secret_extraction = old.enable_secret_extraction;
        config.ignore_client_order = old.ignore_client_order;
        config.key_log = old.key_log.clone();
        config.max_fragment_size = old.max_fragment_size;
        Ok(Self {
            config: Arc::new(config),
            challenges: self.challenges.clone(),
        })
    }

    /// Does the handshake. A connection with a challenge of ACME ends here.
    pub(crate) async fn accept<IO>(&self, io: IO) -> Result<TlsSession<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        // Reading the ClientHello apart makes rustls tell a scanner's bytes from an alert in a handshake.
        let start = LazyConfigAcceptor::new(Acceptor::default(), io)
            .await
            .map_err(|error| Error::tls(Side::Client, error))?;
        let start = self.unless_challenge(start).await?;
        let accept = pin!(async { start.into_stream(self.config.clone()).await });
        handshake(OnceCell::new(), accept).await
    }

    /// Answers a challenge of ACME and closes its connection. Gives any other connection back.
    pub(crate) async fn unless_challenge<IO>(
        &self,
        start: StartHandshake<IO>,
    ) -> Result<StartHandshake<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        match &self.challenges {
            // Boxed: it comes once in weeks, and every other connection would carry its size.
            Some(challenges) => Box::pin(challenges.answer(start)).await,
            None => Ok(start),
        }
    }

    /// Does the rest of a handshake whose ClientHello was read, with this key in place of the application's.
    pub(crate) async fn complete<IO>(
        &self,
        start: StartHandshake<IO>,
        key: Arc<CertifiedKey>,
    ) -> Result<TlsSession<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let complete = pin!(async { start.into_stream(self.config.clone()).await });
        handshake(OnceCell::from(Ok(key)), complete).await
    }
}

async fn handshake<IO>(
    key: OnceCell<Result<Arc<CertifiedKey>, NoKey>>,
    tls: impl Future<Output = io::Result<server::TlsStream<IO>>>,
) -> Result<TlsSession<IO>, Error> {
    let (stream, key) = {
        let handshake = pin!(async {
            let stream = tls.await;
            (stream, KEY.with(|key| key.get().cloned()))
        });
        KEY.scope(key, handshake).await
    };
    let key = match key {
        Some(Err(NoKey::ForAnybody)) => return Err(ProtocolError::NoIdentity.into()),
        Some(Err(NoKey::For(name))) => return Err(Error::unknown_name(name)),
        Some(Ok(key)) => Some(key),
        None => None,
    };
    let stream = stream.map_err(|error| Error::tls(Side::Client, error))?;
    let key = key.ok_or(ProtocolError::NoIdentity)?;
    let handshake = Handshake::server(stream.get_ref().1, key)?;
    Ok(TlsSession {
        tls: Box::new(TlsStream::Server(stream)),
        handshake,
    })
}

/// Asks the application's resolver once per handshake, and gives that answer whenever rustls asks.
///
/// Outside of a handshake that [`ServerTls`] drives it gives no key.
#[derive(Debug)]
struct OneKey {
    application: Arc<dyn ResolvesServerCert>,
    names: ServedNames,
}

impl ResolvesServerCert for OneKey {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let known = KEY.try_with(|key| key.get().cloned()).ok()?;
        if let Some(known) = known {
            return known.ok();
        }
        let name = client_hello.server_name().map(Box::from);
        // No borrow of the slot is held meanwhile: a resolver may drive another handshake.
        let key = match self.application.resolve(client_hello) {
            Some(key) => {
                self.names.has_key(name.as_deref());
                Ok(key)
            }
            None => Err(self.names.has_none(name)),
        };
        let key = KEY.try_with(|slot| slot.get_or_init(|| key).clone());
        key.ok()?.ok()
    }
}
