//! The client's exchange over a connection that another library made.
//!
//! For integrations whose TLS stream is out of reach, as in `atls-reqwest`: they implement [`Session`] from what rustls'
//! callbacks showed, and do the exchange here. All other clients use [`ClientConnector`](crate::ClientConnector).
//!
//! [`ClientExchange`] takes a session past its TLS handshake and gives the attestation of the server. Any failure is an
//! [`Error`], and the integration must close the connection then.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use atls_core::ConfigError;
use atls_core::PeerAttestation;
use atls_core::ProtocolError;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::time::Instant;
use tracing::Instrument;

use crate::deadline::Deadline;
use crate::driver::ClientDriver;
use crate::error::Error;
use crate::identity;
use crate::layer::ClientDemand;
use crate::stage::Stage;
use crate::stream::Conditions;
use crate::terms::ClientTerms;
use crate::tls;
use crate::told::EachToldLately;
use crate::trace::Attempt;
use crate::weaker::Mode;
use crate::weaker::WeakerClient;

/// Why an integration has no connection for the exchange.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotConnected {
    /// Not by the [deadline](ClientExchange::deadline).
    Deadline,
    /// The handshake that was observed is none that Evidence can be bound to.
    Handshake(ProtocolError),
    /// The application's settings contradict each other: these words.
    Setting(&'static str),
    /// TLS failed.
    Tls(rustls::Error),
    /// The URI means no attested TLS, for this reason.
    Uri(&'static str),
}

impl From<NotConnected> for Error {
    fn from(reason: NotConnected) -> Self {
        match reason {
            NotConnected::Deadline => Self::deadline(Stage::Connect),
            NotConnected::Handshake(error) => error.into(),
            NotConnected::Setting(words) => ConfigError::Tls(words).into(),
            NotConnected::Tls(error) => {
                let error = io::Error::new(io::ErrorKind::InvalidData, error);
                Self::tls(Side::Server, error)
            }
            NotConnected::Uri(words) => Self::uri(words),
        }
    }
}

/// The client's part of the exchange, without the TLS.
#[derive(Clone)]
pub struct ClientExchange {
    shared: Arc<Shared>,
}

struct Shared {
    driver: ClientDriver,
    /// `None` where servers attest after the handshake, or not at all.
    weaker: Option<WeakerClient>,
    /// `None` for a client that does not attest.
    identity: Option<Arc<CertifiedKey>>,
    servers_attest: Mode,
    time_limit: Duration,
    told: Arc<EachToldLately>,
    conditions: Arc<Conditions>,
}

impl ClientExchange {
    /// Takes provider and clock of the TLS configuration that the connections will use, and gives it back hardened.
    ///
    /// # Errors
    /// As [`ClientConnector::new`](crate::ClientConnector::new).
    pub fn new(tls: ClientConfig, terms: ClientTerms) -> Result<(Self, ClientConfig), Error> {
        let tls = tls::prepare_client(tls)?;
        let terms = terms.checked()?;
        let provider = tls.crypto_provider();
        let clock = &tls.time_provider;
        let identity = match &terms.attester {
            Some(_) => Some(identity::ephemeral(provider)?),
            None => None,
        };
        let shared = Shared {
            driver: ClientDriver::new(&terms, provider, clock)?,
            weaker: WeakerClient::of(&terms, clock),
            identity,
            servers_attest: terms.servers_attest,
            time_limit: terms.deadline,
            told: Arc::default(),
            conditions: Arc::new(Conditions {
                clock: clock.clone(),
                demand: ClientDemand::OfSome,
                live: Arc::default(),
            }),
        };
        let exchange = Self {
            shared: Arc::new(shared),
        };
        Ok((exchange, tls))
    }

    /// The key that answers for a client that sent no certificate in the handshake; `None` if it does not attest.
    pub fn identity(&self) -> Option<&Arc<CertifiedKey>> {
        self.shared.identity.as_ref()
    }

    /// The deadline of handshake and exchange together, for a connection that begins now.
    pub fn deadline(&self) -> Instant {
        Deadline::after(self.time_limit()).instant()
    }

    /// Now, by the clock of the TLS configuration.
    pub fn now(&self) -> Option<UnixTime> {
        self.shared.conditions.clock.current_time()
    }

    /// Does the exchange; in the weaker modes it appraises the server's certificate instead. On success the next byte is
    /// HTTP's.
    ///
    /// `server` is the name that its certificate was verified for, for the event. `client_random` is that of the connection, where the
    /// integration knows it; the intra-handshake mode needs it.
    ///
    /// Emits one trace event for the outcome, also where the future is dropped.
    ///
    /// # Errors
    /// [`Error`]; the caller must close the connection.
    pub async fn exchange<S>(
        &self,
        deadline: Instant,
        server: &ServerName<'_>,
        session: &mut S,
        client_random: Option<[u8; 32]>,
    ) -> Result<Option<Arc<PeerAttestation>>, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let deadline = Deadline::from(deadline);
        let attempt = self.attempt(Some(server));
        let span = attempt.span().clone();
        let traced = async {
            let exchanged = match self.weaker() {
                None => self.driver().exchange(session, deadline).await,
                Some(weaker) => {
                    let handshake = session.handshake();
                    weaker.appraise(handshake, client_random, deadline).await
                }
            };
            match exchanged {
                Ok(exchanged) => {
                    let peer = exchanged.peer.map(|accepted| accepted.peer);
                    attempt.succeed(peer.as_deref());
                    Ok(peer)
                }
                Err(error) => {
                    attempt.fail(&error);
                    Err(error)
                }
            }
        };
        traced.instrument(span).await
    }

    /// The typed error for a connection that did not come to the exchange, traced as the one event of it.
    #[must_use]
    pub fn not_connected(&self, reason: NotConnected) -> Error {
        let error = Error::from(reason);
        self.attempt(None).fail(&error);
        error
    }

    /// A connection that begins now, for its event and its count.
    pub(crate) fn attempt(&self, server: Option<&ServerName<'_>>) -> Attempt {
        let Shared {
            servers_attest,
            told,
            ..
        } = &*self.shared;
        Attempt::begin(Side::Client, *servers_attest, server, told)
    }

    pub(crate) fn driver(&self) -> &ClientDriver {
        &self.shared.driver
    }

    pub(crate) fn weaker(&self) -> Option<&WeakerClient> {
        self.shared.weaker.as_ref()
    }

    pub(crate) fn time_limit(&self) -> Duration {
        self.shared.time_limit
    }

    pub(crate) fn conditions(&self) -> &Arc<Conditions> {
        &self.shared.conditions
    }
}

impl fmt::Debug for ClientExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientExchange")
            .field("driver", &self.shared.driver)
            .field("weaker", &self.shared.weaker)
            .field("time_limit", &self.shared.time_limit)
            .finish_non_exhaustive()
    }
}
