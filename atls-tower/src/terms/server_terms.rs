//! What a server offers and demands.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::Attester;
use atls_core::RelyingParty;
use atls_core::exchange::Order;
use atls_core::limits::DEFAULT_APPRAISALS;
use atls_core::limits::DEFAULT_ATTESTATIONS;
use atls_core::limits::DEFAULT_DEADLINE;
use atls_core::limits::DEFAULT_FIRST_BYTE;

use crate::weaker::Mode;

/// What a server offers clients and demands of them.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_sim::SimAttester;
/// # use atls_tower::{ServerAcceptor, ServerTerms};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tls = demo::Authority::new()?.server()?;
/// # let device = Arc::new(SimAttester::generate()?);
/// # let clients = demo::trusting(&SimAttester::generate()?)?;
/// // Clients that ask get Evidence:
/// let server_attests = ServerTerms::new().attester(device.clone());
/// // and every client must attest as well:
/// let mutual = ServerTerms::new().attester(device).require_peer(clients);
/// # ServerAcceptor::new(tls.clone(), server_attests)?;
/// # ServerAcceptor::new(tls, mutual)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct ServerTerms {
    pub(crate) attester: Option<Arc<dyn Attester>>,
    pub(crate) purpose: Purpose,
    pub(crate) demand: Demand,
    pub(crate) order: Order,
    pub(crate) deadline: Duration,
    pub(crate) first_octet: Duration,
    pub(crate) attestations: usize,
    pub(crate) appraisals: usize,
    pub(crate) clients_attest: Mode,
    pub(crate) attests: Mode,
}

/// Whether it is a mistake if nobody attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Attestation,
    Plain,
}

/// What is demanded of clients.
#[derive(Clone, Debug)]
pub(crate) enum Demand {
    Nothing,
    /// Clients that can attest do; those that cannot are served as unattested.
    IfAble(Arc<RelyingParty>),
    Always(Arc<RelyingParty>),
}

impl ServerTerms {
    /// Neither offers nor demands anything yet, and cannot be used so.
    pub fn new() -> Self {
        Self {
            attester: None,
            purpose: Purpose::Attestation,
            demand: Demand::Nothing,
            order: Order::ClientLast,
            deadline: DEFAULT_DEADLINE,
            first_octet: DEFAULT_FIRST_BYTE,
            attestations: DEFAULT_ATTESTATIONS,
            appraisals: DEFAULT_APPRAISALS,
            clients_attest: Mode::AfterHandshake,
            attests: Mode::AfterHandshake,
        }
    }

    /// Of an ordinary HTTPS server, or one whose certificate says it all: nobody attests in an exchange, and clients that
    /// ask are declined, authentically.
    pub fn plain() -> Self {
        Self {
            purpose: Purpose::Plain,
            ..Self::new()
        }
    }

    /// Attests to clients that ask. Without an attester they are declined, authentically.
    pub fn attester(mut self, attester: Arc<dyn Attester>) -> Self {
        self.attester = Some(attester);
        self
    }

    /// Every client must attest and be accepted; all others are closed before a request is parsed.
    pub fn require_peer(mut self, relying_party: Arc<RelyingParty>) -> Self {
        self.demand = Demand::Always(relying_party);
        self
    }

    /// Clients that can attest must be accepted; clients that cannot, ordinary HTTPS clients among them, are served
    /// as unattested. What they may reach is then the routes' decision
    /// ([`RequireAttestationLayer`](crate::RequireAttestationLayer)).
    pub fn ask_peer(mut self, relying_party: Arc<RelyingParty>) -> Self {
        self.demand = Demand::IfAble(relying_party);
        self
    }

    /// Hears the client's attestation before giving its own, for servers whose Evidence is not everybody's business.
    /// Clients that attest only after the server are refused at once.
    pub fn client_first(mut self) -> Self {
        self.order = Order::ClientFirst;
        self
    }

    /// How clients attest; by default after the handshake. In the two [weaker](crate::weaker) modes the relying party's
    /// policy must accept their binding too.
    ///
    /// With [`Mode::InCertificate`] the TLS configuration must ask clients for certificates; with
    /// [`Mode::InHandshake`] that is done here, by the provider of the configuration, whose own client verifier then
    /// does not count.
    pub fn clients_attest(mut self, mode: Mode) -> Self {
        self.clients_attest = mode;
        self
    }

    /// Also attests to every client during the handshake, in a self-signed certificate with a key of its own that takes
    /// the place of the one that is configured: for clients that speak only this. The attester is asked for each
    /// connection, for at most [`DEFAULT_IN_HANDSHAKE`](atls_core::limits::DEFAULT_IN_HANDSHAKE) at once, and its
    /// Evidence is open to relay and diversion. Everybody who
    /// sends a ClientHello gets it, so it does not go together with [`client_first`](Self::client_first). Clients that take a
    /// self-signed certificate and open the exchange get the better binding.
    pub fn attest_in_handshake(mut self) -> Self {
        self.attests = Mode::InHandshake;
        self
    }

    /// The longest that TLS handshake, exchange and appraisal may take together; by default [`DEFAULT_DEADLINE`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The longest wait for a client's first octet after TLS; by default [`DEFAULT_FIRST_BYTE`].
    pub fn first_octet(mut self, wait: Duration) -> Self {
        self.first_octet = wait;
        self
    }

    /// The most attestations of this server, and appraisals of its clients, that run at once, at least one each; others
    /// wait, within their deadline. A client counts while this server works for it, and not while the server waits for
    /// the client. By default [`DEFAULT_ATTESTATIONS`] and [`DEFAULT_APPRAISALS`].
    pub fn at_once(mut self, attestations: usize, appraisals: usize) -> Self {
        self.attestations = attestations;
        self.appraisals = appraisals;
        self
    }
}

impl Default for ServerTerms {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ServerTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTerms")
            .field(
                "attester",
                &self
                    .attester
                    .as_ref()
                    .map(|attester| attester.media_types()),
            )
            .field("purpose", &self.purpose)
            .field("demand", &self.demand)
            .field("order", &self.order)
            .field("deadline", &self.deadline)
            .field("first_octet", &self.first_octet)
            .field("attestations", &self.attestations)
            .field("appraisals", &self.appraisals)
            .field("clients_attest", &self.clients_attest)
            .field("attests", &self.attests)
            .finish()
    }
}
