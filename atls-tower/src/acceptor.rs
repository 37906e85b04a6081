//! Turns accepted sockets into attested streams.

use std::pin::pin;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::Weak;
use std::time::Duration;

use atls_core::session::Side;
use rustls::ServerConfig;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tracing::Instrument;

use crate::deadline::Deadline;
use crate::driver::Exchanged;
use crate::driver::ServerDriver;
use crate::error::Error;
use crate::layer::ClientDemand;
use crate::metrics;
use crate::stage::Stage;
use crate::stream::AttestedStream;
use crate::stream::Conditions;
use crate::stream::Live;
use crate::stream::Refused;
use crate::terms::ServerTerms;
use crate::tls::Rewind;
use crate::tls::ServerTls;
use crate::told::EachToldLately;
use crate::trace::Attempt;
use crate::weaker::Mode;
use crate::weaker::WeakerServer;

/// Accepts attested TLS. Cheap to clone; all clones share the limits, and what [`replace`](Self::replace) gives them.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_sim::SimAttester;
/// # use atls_tower::{ClientConnector, ClientTerms, ServerAcceptor, ServerTerms};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let authority = demo::Authority::new()?;
/// # let (tls, client_tls) = (authority.server()?, authority.client(&[])?);
/// # let device = SimAttester::generate()?;
/// # let clients_demand = ClientTerms::new().require_peer(demo::trusting(&device)?);
/// # let connector = ClientConnector::new(client_tls, clients_demand)?;
/// let acceptor = ServerAcceptor::new(tls, ServerTerms::new().attester(Arc::new(device)))?;
///
/// // Usually the stream is a socket that was accepted; any `AsyncRead + AsyncWrite` does.
/// let (near, far) = tokio::io::duplex(64 * 1024);
/// let client = connector.connect("localhost".try_into()?, far);
/// let (accepted, connected) = tokio::join!(acceptor.accept(near), client);
/// assert!(accepted?.peer().is_none()); // The client did not attest,
/// assert!(connected?.peer().is_some()); // the server did.
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ServerAcceptor {
    state: Arc<RwLock<State>>,
}

#[derive(Debug)]
struct State {
    current: Accepting,
    /// Connections that were recalled and have not ended yet: another recall may end them sooner.
    recalled: Vec<Weak<Live>>,
}

/// The terms on which connections are accepted now, and the connections that were accepted on them.
#[derive(Clone, Debug)]
struct Accepting {
    tls: ServerTls,
    shared: Arc<Shared>,
    conditions: Arc<Conditions>,
}

#[derive(Debug)]
struct Shared {
    driver: ServerDriver,
    /// `None` for a server that knows the default mode alone.
    weaker: Option<WeakerServer>,
    clients_attest: Mode,
    time_limit: Duration,
    told: Arc<EachToldLately>,
}

impl ServerAcceptor {
    /// Hardens the TLS configuration: tickets, resumption and early data are switched off, whatever it says. Its
    /// provider and clock serve the exchange too; its ALPN list is yours to set (`h2`, `http/1.1`). Its certificate
    /// resolver is asked once per connection.
    ///
    /// # Errors
    /// An [`Error`] that is local: a configuration or provider without TLS 1.3 or with `acme-tls/1` among its protocols, terms under which no end attests and
    /// that are not [`plain`](ServerTerms::plain), whose request to clients no client could take, or that
    /// [contradict](atls_core::ConfigError::Terms) themselves.
    pub fn new(tls: ServerConfig, terms: ServerTerms) -> Result<Self, Error> {
        let state = State {
            current: Accepting::new(tls, terms)?,
            recalled: Vec::new(),
        };
        Ok(Self {
            state: Arc::new(RwLock::new(state)),
        })
    }

    /// Accepts connections on other terms from now on, and [recalls](Self::recall) those that were accepted on the old ones.
    /// For another attester, relying party, limit or TLS configuration. Handshakes under way end on the old terms, and are
    /// recalled.
    ///
    /// # Errors
    /// Those of [`new`](Self::new). Nothing has changed then.
    pub fn replace(
        &self,
        tls: ServerConfig,
        terms: ServerTerms,
        within: Duration,
    ) -> Result<(), Error> {
        let new = Accepting::new(tls, terms)?;
        self.recall_for(within, |_| new);
        Ok(())
    }

    /// Ends all connections of this acceptor and its clones: each drains, and is cut when `within` has passed.
    /// Their clients connect anew, attest anew, and are appraised by what is in force then. Call it when something behind the
    /// terms has changed, such as reference values, a verifier's keys, or a certificate.
    ///
    /// A connection of `atls_axum::serve` ends as with its attestation: HTTP/2 clients get a GOAWAY, HTTP/1.1 clients
    /// `Connection: close`, long streams learn it by [`Lifetime::draining`](crate::Lifetime::draining). A connection that was
    /// recalled before ends at the earlier of both times. `axum::serve` cannot say goodbye in HTTP/2: there such a connection takes
    /// requests on the old terms until `within` has passed. Only streams [with limits](AttestedStream::with_limits) are recalled, as those of an
    /// `AttestedListener` are.
    pub fn recall(&self, within: Duration) {
        self.recall_for(within, Accepting::anew);
    }

    /// Puts other terms in the place of the current ones, and recalls what was accepted before.
    fn recall_for(&self, within: Duration, new: impl FnOnce(&Accepting) -> Accepting) {
        metrics::recalled();
        for live in self.exchange(new) {
            live.recall(within);
        }
    }

    /// Gives the connections that were accepted before.
    fn exchange(&self, new: impl FnOnce(&Accepting) -> Accepting) -> Vec<Arc<Live>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let new = new(&state.current);
        let old = std::mem::replace(&mut state.current, new);
        state.recalled.retain(|live| live.strong_count() > 0);
        state.recalled.push(Arc::downgrade(&old.conditions.live));
        state.recalled.iter().filter_map(Weak::upgrade).collect()
    }

    fn current(&self) -> Accepting {
        // Every value of it is whole.
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.current.clone()
    }

    /// Does the TLS handshake and the exchange of authenticators, within the deadlines of the terms.
    ///
    /// Cancel-safe in that dropping the future closes the connection. Emits one trace event for the outcome, also where
    /// the future is dropped or panics.
    ///
    /// # Errors
    /// [`Error`]; the connection is closed, with `close_notify` where TLS stood, and no request was read from it. A challenge of ACME that
    /// was answered is one too: [`Error::is_acme_challenge`].
    pub async fn accept<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        match self.accept_or_refuse(io).await {
            Ok(stream) => Ok(stream),
            Err(refused) => {
                let (error, stream) = refused.into_parts();
                if let Some(stream) = stream {
                    stream.close().await;
                }
                Err(error)
            }
        }
    }

    /// Does the same as [`accept`](Self::accept), and gives the stream of a client that does not speak this protocol back
    /// with the error, so that the caller can say in HTTP what is wanted. `AttestedListener` of `atls-axum` does.
    ///
    /// # Errors
    /// [`Refused`]; all other connections are closed.
    pub async fn accept_or_refuse<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Refused<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let current = self.current();
        let Shared {
            clients_attest,
            told,
            ..
        } = &*current.shared;
        let attempt = Attempt::begin(Side::Server, *clients_attest, None, told);
        let span = attempt.span().clone();
        let traced = async {
            // Boxed: the future has some KiB, and every future around it would move them.
            let established = Box::pin(current.establish(io)).await;
            match &established {
                Ok(stream) => attempt.succeed(stream.peer().map(AsRef::as_ref)),
                Err(refused) => attempt.fail(refused.error()),
            }
            established
        };
        traced.instrument(span).await
    }
}

impl Accepting {
    fn new(tls: ServerConfig, terms: ServerTerms) -> Result<Self, Error> {
        let provider = tls.crypto_provider().clone();
        let clock = tls.time_provider.clone();
        let terms = terms.checked()?;
        let tls = ServerTls::new(tls, terms.challenges.clone())?;
        let demand = terms.demand_in_exchange();
        let shared = Shared {
            driver: ServerDriver::new(&terms, &demand, &provider, &clock)?,
            weaker: WeakerServer::of(&terms, &provider, &clock),
            clients_attest: terms.clients_attest,
            time_limit: terms.deadline,
            told: Arc::default(),
        };
        let conditions = Conditions {
            clock,
            demand: if terms.demand.is_of_everybody() {
                ClientDemand::OfEverybody
            } else {
                ClientDemand::OfSome
            },
            live: Arc::default(),
        };
        Ok(Self {
            tls,
            shared: Arc::new(shared),
            conditions: Arc::new(conditions),
        })
    }

    /// The same terms, without the connections that were accepted on them.
    fn anew(&self) -> Self {
        let conditions = Conditions {
            clock: self.conditions.clock.clone(),
            demand: self.conditions.demand,
            live: Arc::default(),
        };
        Self {
            conditions: Arc::new(conditions),
            ..self.clone()
        }
    }

    async fn establish<IO>(&self, io: IO) -> Result<AttestedStream<IO>, Refused<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let driver = &self.shared.driver;
        let deadline = Deadline::after(self.shared.time_limit);
        let (tls, exchanged) = match &self.shared.weaker {
            None => self.handshake_and_exchange(io, deadline).await?,
            // Boxed, so that the default mode does not pay for its size.
            Some(weaker) => Box::pin(weaker.accept(&self.tls, driver, io, deadline)).await?,
        };
        Ok(AttestedStream::new(
            tls,
            exchanged,
            self.conditions.clone(),
        )?)
    }

    /// The default mode.
    async fn handshake_and_exchange<IO>(
        &self,
        io: IO,
        deadline: Deadline,
    ) -> Result<(Rewind<IO>, Exchanged), Refused<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let handshake = pin!(self.tls.accept(io));
        let session = deadline.bound(Stage::Handshake, handshake).await?;
        self.shared.driver.exchange(session, deadline).await
    }
}
