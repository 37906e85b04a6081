//! The client's exchange over a connection that another library made.
//!
//! For integrations whose TLS stream is out of reach, as in `atls-reqwest`: they implement
//! [`Session`] from what rustls' callbacks showed, and run the exchange here. Everybody else uses
//! [`ClientConnector`](crate::ClientConnector).

use std::io;
use std::sync::Arc;

use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::exchange::Credential;
use atls_core::exchange::UnsentRequest;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::ClientConfig;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tracing::Instrument;

use crate::driver::ClientDriver;
use crate::driver::Conversation;
use crate::driver::Exchanged;
use crate::driver::within;
use crate::error::Error;
use crate::error::Stage;
use crate::identity;
use crate::terms::ClientTerms;
use crate::tls::hardening;
use crate::tls::versions;
use crate::trace;
use crate::weaker::Mode;

/// The typed error for a TLS handshake that failed below an integration, traced as the one event of its connection.
#[must_use]
pub fn tls_failed(error: rustls::Error) -> Error {
    let error = io::Error::new(io::ErrorKind::InvalidData, error);
    let error = Error::tls(Side::Server, error);
    let span = tracing::debug_span!("atls", side = "client");
    span.in_scope(|| trace::failure(Side::Client, &error));
    error
}

/// The client's part of the exchange, without the TLS.
#[derive(Clone, Debug)]
pub struct ClientExchange {
    client: Arc<ClientDriver>,
    identity: Option<Arc<CertifiedKey>>,
}

impl ClientExchange {
    /// Takes provider and clock of the TLS configuration that the connections will use, and gives it back hardened.
    ///
    /// # Errors
    /// As [`ClientConnector::new`](crate::ClientConnector::new).
    pub fn new(tls: ClientConfig, terms: ClientTerms) -> Result<(Self, ClientConfig), Error> {
        let tls = hardening::harden_client(tls)?;
        versions::check_client(&tls)?;
        let provider = tls.crypto_provider().clone();
        let client = ClientDriver::new(terms, &provider, tls.time_provider.clone())?;
        let identity = if client.attests() {
            Some(identity::ephemeral(&provider)?)
        } else {
            None
        };
        Ok((
            Self {
                client: Arc::new(client),
                identity,
            },
            tls,
        ))
    }

    /// The key that answers for a client that sent no certificate in the handshake; `None` if it does not attest.
    pub fn identity(&self) -> Option<&Arc<CertifiedKey>> {
        self.identity.as_ref()
    }

    /// The exchange, or in the weaker modes what stands in for it. On success the next octet is HTTP's.
    ///
    /// `client_random` is that of the connection, where the integration knows it; the intra-handshake mode needs it.
    ///
    /// Emits one trace event for the outcome.
    ///
    /// # Errors
    /// [`Error`]; the caller must close the connection.
    pub async fn run<L>(
        &self,
        deadline: Instant,
        link: &mut L,
        client_random: Option<[u8; 32]>,
    ) -> Result<Option<Arc<PeerAttestation>>, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let traced = async {
            let exchange = async {
                if let Some(presented) = self.presented(link.handshake(), client_random) {
                    return self.client.judge_presented(deadline, presented).await;
                }
                let (opening, frame) = self.client.open()?;
                link.write_all(&frame).await.map_err(Error::writing)?;
                link.flush().await.map_err(Error::writing)?;
                let conversation = Conversation::new(link, deadline);
                self.client.run(conversation, opening).await
            };
            match within(deadline, Stage::Exchange, exchange).await {
                Ok(exchanged) => {
                    trace::success(exchanged.peer.as_deref());
                    Ok(exchanged.peer)
                }
                Err(error) => {
                    trace::failure(Side::Client, &error);
                    Err(error)
                }
            }
        };
        let span = tracing::debug_span!("atls", side = "client");
        traced.instrument(span).await
    }

    /// What the server presented in its certificate; `None` where it attests after the handshake.
    pub(crate) fn presented(
        &self,
        handshake: &Handshake,
        client_random: Option<[u8; 32]>,
    ) -> Option<Result<Credential, ProtocolError>> {
        match (self.mode(), client_random) {
            (Mode::AfterHandshake, _) => None,
            (Mode::InCertificate, _) => Some(Credential::in_certificate(handshake)),
            (Mode::InHandshake, Some(nonce)) => Some(Credential::in_handshake(handshake, &nonce)),
            (Mode::InHandshake, None) => Some(Err(ProtocolError::Random)),
        }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.client.servers_attest()
    }

    pub(crate) async fn judge_presented(
        &self,
        deadline: Instant,
        presented: Result<Credential, ProtocolError>,
    ) -> Result<Exchanged, Error> {
        self.client.judge_presented(deadline, presented).await
    }

    pub(crate) fn clock(&self) -> &Arc<dyn TimeProvider> {
        self.client.clock()
    }

    /// The deadline of handshake and exchange together, for a connection that begins now.
    pub fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.client.deadline()).unwrap_or(now)
    }

    /// See [`ClientDriver::open`].
    pub(crate) fn open(&self) -> Result<(UnsentRequest, Vec<u8>), Error> {
        self.client.open()
    }

    pub(crate) async fn run_opened<L>(
        &self,
        deadline: Instant,
        link: &mut L,
        opening: UnsentRequest,
    ) -> Result<Exchanged, Error>
    where
        L: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let conversation = Conversation::new(link, deadline);
        within(
            deadline,
            Stage::Exchange,
            self.client.run(conversation, opening),
        )
        .await
    }

    /// Now, by the clock of the TLS configuration.
    pub fn now(&self) -> Option<rustls::pki_types::UnixTime> {
        self.client.clock().current_time()
    }
}
