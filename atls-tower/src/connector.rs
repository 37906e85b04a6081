//! Turns connected sockets into attested streams.

use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use atls_core::ProtocolError;
use atls_core::session::Handshake;
use atls_core::session::Side;
use rustls::ClientConfig;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::TlsStream;
use tracing::Instrument;

use crate::driver::within;
use crate::error::Error;
use crate::error::Stage;
use crate::integration::ClientExchange;
use crate::stream::AttestedStream;
use crate::terms::ClientTerms;
use crate::tls::Rewind;
use crate::tls::TlsSession;
use crate::trace;
use crate::weaker::Mode;
use crate::weaker::Random;
use crate::weaker::Recorded;

/// Connects attested TLS over any stream. Cheap to clone.
///
/// The server's chain and name are checked by the TLS configuration as ever; attestation comes on top. For HTTP use
/// [`AttestedHttps`](crate::AttestedHttps), or `atls-reqwest`.
#[derive(Clone, Debug)]
pub struct ClientConnector {
    tls: Arc<ClientConfig>,
    exchange: ClientExchange,
}

impl ClientConnector {
    /// Hardens the TLS configuration: resumption and early data are switched off, whatever it says. Its provider and
    /// clock serve the exchange too; its ALPN list is yours to set.
    ///
    /// # Errors
    /// An [`Error`] that is local: terms that do not require servers to attest and do not say so, or whose request no server
    /// could take; a configuration or provider without TLS 1.3, or a provider that cannot make a key for a client that
    /// attests.
    pub fn new(tls: ClientConfig, terms: ClientTerms) -> Result<Self, Error> {
        let (exchange, tls) = ClientExchange::new(tls, terms)?;
        Ok(Self {
            tls: Arc::new(tls),
            exchange,
        })
    }

    /// Does the TLS handshake and the exchange of authenticators, within the deadline of the terms.
    ///
    /// Cancel-safe in that dropping the future closes the connection. Emits one trace event for the outcome.
    ///
    /// # Errors
    /// [`Error`]; the connection is closed and nothing of HTTP was sent on it.
    pub async fn connect<IO>(
        &self,
        name: ServerName<'static>,
        io: IO,
    ) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        self.connect_until(self.deadline(), name, io).await
    }

    /// The deadline of a connection that begins now.
    pub(crate) fn deadline(&self) -> Instant {
        self.exchange.deadline()
    }

    pub(crate) async fn connect_until<IO>(
        &self,
        deadline: Instant,
        name: ServerName<'static>,
        io: IO,
    ) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let traced = async {
            // Boxed, for it is some KiB and would be moved with every future around it.
            let connected = Box::pin(self.run(deadline, name, io)).await;
            trace::outcome(Side::Client, &connected);
            connected
        };
        let span = tracing::debug_span!("atls", side = "client");
        traced.instrument(span).await
    }

    async fn run<IO>(
        &self,
        deadline: Instant,
        name: ServerName<'static>,
        io: IO,
    ) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        if self.exchange.mode() != Mode::AfterHandshake {
            return self.run_without_exchange(deadline, name, io).await;
        }
        let (opening, frame) = self.exchange.open()?;
        let handshake = self.handshake(name, io, &frame);
        let mut link = within(deadline, Stage::Handshake, handshake).await?;
        let exchanged = self
            .exchange
            .run_opened(deadline, &mut link, opening)
            .await?;
        AttestedStream::new(
            Rewind::new(link.tls, None),
            exchanged,
            self.exchange.clock().clone(),
        )
    }

    /// The server attests in its certificate: nothing is exchanged, and nothing may be sent before it was appraised.
    async fn run_without_exchange<IO>(
        &self,
        deadline: Instant,
        name: ServerName<'static>,
        io: IO,
    ) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let random = Arc::new(Random::beside(self.tls.key_log.clone()));
        let mut tls = ClientConfig::clone(&self.tls);
        tls.key_log = random.clone();
        let connecting = async {
            TlsConnector::from(Arc::new(tls))
                .connect(name, Recorded::passing(io))
                .await
                .map_err(|error| Error::tls(Side::Server, error))
        };
        let stream = within(deadline, Stage::Handshake, connecting).await?;
        let handshake = Handshake::client(stream.get_ref().1, None)?;
        let presented = self
            .exchange
            .presented(&handshake, random.take())
            .unwrap_or(Err(ProtocolError::NoAttestation));
        let exchanged = self.exchange.judge_presented(deadline, presented).await?;
        let clock = self.exchange.clock().clone();
        AttestedStream::new(
            Rewind::new(TlsStream::Client(stream), None),
            exchanged,
            clock,
        )
    }

    /// `opening` leaves in the flight of our Finished: after the server's certificate was checked, and without a
    /// wake-up of the server of its own.
    async fn handshake<IO>(
        &self,
        name: ServerName<'static>,
        io: IO,
        opening: &[u8],
    ) -> Result<TlsSession<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let (tls, sent) = self.observe_certificate();
        let mut buffered = Ok(());
        let stream = TlsConnector::from(tls)
            .connect_with(name, Recorded::passing(io), |tls| {
                buffered = tls.writer().write_all(opening)
            })
            .await
            .map_err(|error| Error::tls(Side::Server, error))?;
        buffered.map_err(Error::writing)?;
        let sent = sent.and_then(|sent| sent.take());
        let identity = sent.or_else(|| self.exchange.identity().cloned());
        let handshake = Handshake::client(stream.get_ref().1, identity)?;
        Ok(TlsSession {
            tls: TlsStream::Client(stream),
            handshake,
        })
    }

    /// A client that sends a certificate in the handshake must answer with its key, so which one it sent is noted.
    fn observe_certificate(&self) -> (Arc<ClientConfig>, Option<Arc<SentCertificate>>) {
        if self.exchange.identity().is_none() || !self.tls.client_auth_cert_resolver.has_certs() {
            return (self.tls.clone(), None);
        }
        let mut tls = ClientConfig::clone(&self.tls);
        let sent = Arc::new(SentCertificate {
            resolver: tls.client_auth_cert_resolver.clone(),
            sent: Mutex::new(None),
        });
        tls.client_auth_cert_resolver = sent.clone();
        (Arc::new(tls), Some(sent))
    }
}

/// Notes the certified key that one handshake used.
#[derive(Debug)]
struct SentCertificate {
    resolver: Arc<dyn ResolvesClientCert>,
    sent: Mutex<Option<Arc<CertifiedKey>>>,
}

impl SentCertificate {
    fn take(&self) -> Option<Arc<CertifiedKey>> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl ResolvesClientCert for SentCertificate {
    fn resolve(
        &self,
        root_hints: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let key = self.resolver.resolve(root_hints, schemes)?;
        // Without a common scheme rustls sends no certificate after all.
        if key.key.choose_scheme(schemes).is_some() {
            *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        }
        Some(key)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.resolver.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.resolver.has_certs()
    }
}
