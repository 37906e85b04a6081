//! The terms of a server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::RelyingParty;
use atls_core::WireProfile;
use atls_core::exchange::Order;
use atls_core::limits::DEFAULT_APPRAISALS;
use atls_core::limits::DEFAULT_ATTESTATIONS;
use atls_core::limits::DEFAULT_DEADLINE;
use atls_core::limits::DEFAULT_FIRST_BYTE;
use rustls::server::ResolvesServerCert;

use crate::weaker::Mode;

/// The offers of a server to clients, and its demands on them.
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
    purpose: Purpose,
    pub(crate) demand: Demand,
    demands: Demands,
    pub(crate) order: Order,
    pub(crate) profile: WireProfile,
    pub(crate) deadline: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) attestations: usize,
    pub(crate) appraisals: usize,
    pub(crate) clients_attest: Mode,
    pub(crate) attests: Mode,
    /// `None` where challenges of ACME are not answered.
    pub(crate) challenges: Option<Arc<dyn ResolvesServerCert>>,
}

/// Whether terms under which no end attests are a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Attestation,
    Plain,
}

/// Whether one demand was made, or several that exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demands {
    Agree,
    Differ,
}

/// The demand on clients.
#[derive(Clone, Debug)]
pub(crate) enum Demand {
    Nothing,
    /// Clients that can attest do; those that cannot are served as unattested.
    IfAble(Arc<RelyingParty>),
    Always(Arc<RelyingParty>),
}

impl Demand {
    /// By whom clients are appraised; `None` where nothing is demanded.
    pub(crate) fn relying_party(&self) -> Option<&Arc<RelyingParty>> {
        match self {
            Self::Nothing => None,
            Self::IfAble(relying_party) | Self::Always(relying_party) => Some(relying_party),
        }
    }

    pub(crate) fn is_of_everybody(&self) -> bool {
        matches!(self, Self::Always(_))
    }
}

impl ServerTerms {
    /// Terms without offers and demands. An acceptor refuses them as they are.
    pub fn new() -> Self {
        Self {
            attester: None,
            purpose: Purpose::Attestation,
            demand: Demand::Nothing,
            demands: Demands::Agree,
            order: Order::ClientLast,
            profile: WireProfile::default(),
            deadline: DEFAULT_DEADLINE,
            first_byte: DEFAULT_FIRST_BYTE,
            attestations: DEFAULT_ATTESTATIONS,
            appraisals: DEFAULT_APPRAISALS,
            clients_attest: Mode::AfterHandshake,
            attests: Mode::AfterHandshake,
            challenges: None,
        }
    }

    /// Terms of an ordinary HTTPS server, or of one with Evidence in its certificate: no end attests in an exchange, and
    /// clients that ask are declined, authentically. They take no attester, and a demand on clients that attest in their certificates
    /// alone.
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

    /// Every client must attest and be accepted; all others are closed before a request is parsed. It does not go together with
    /// [`ask_peer`](Self::ask_peer).
    pub fn require_peer(mut self, relying_party: Arc<RelyingParty>) -> Self {
        if let Demand::IfAble(_) = self.demand {
            self.demands = Demands::Differ;
        }
        self.demand = Demand::Always(relying_party);
        self
    }

    /// Clients that can attest must be accepted; clients that cannot, ordinary HTTPS clients among them, are served
    /// as unattested. The routes then decide what those may reach
    /// ([`RequireAttestationLayer`](crate::RequireAttestationLayer)). It does not go together with [`require_peer`](Self::require_peer).
    pub fn ask_peer(mut self, relying_party: Arc<RelyingParty>) -> Self {
        if self.demand.is_of_everybody() {
            self.demands = Demands::Differ;
        }
        self.demand = Demand::IfAble(relying_party);
        self
    }

    /// Appraises the client before this server attests, for servers whose Evidence is confidential: it goes together with
    /// [`require_peer`](Self::require_peer) alone. Clients that attest only after the server are refused at once.
    pub fn client_first(mut self) -> Self {
        self.order = Order::ClientFirst;
        self
    }

    /// How the clients attest of whom that is demanded; by default after the handshake. In the two [weaker](crate::weaker) modes the
    /// relying party's policy must accept their binding too.
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
    /// Evidence is open to relay and diversion. Every
    /// sender of a ClientHello gets it, so it does not go together with [`client_first`](Self::client_first). Clients that take a
    /// self-signed certificate and open the exchange get the better binding.
    pub fn attest_in_handshake(mut self) -> Self {
        self.attests = Mode::InHandshake;
        self
    }

    /// Answers the challenges by which an ACME server validates the names of this one: tls-alpn-01 of RFC 8737, on the port of the attested
    /// connections. `challenges` is asked where a ClientHello offers the protocol `acme-tls/1` and no other. It gives the certificate of the
    /// challenge that is pending for the name in the ClientHello, under a key of its own, and `None` for every other. The connection
    /// ends with the handshake; nothing is read from it, and its key has no other use. A ClientHello without an answer is that of any other client.
    pub fn tls_alpn_01(mut self, challenges: Arc<dyn ResolvesServerCert>) -> Self {
        self.challenges = Some(challenges);
        self
    }

    /// The version of the draft that the exchange follows; by default [`WireProfile::EXPAT_03`]. Clients must be configured for
    /// the same one: connections of others end.
    pub fn profile(mut self, profile: WireProfile) -> Self {
        self.profile = profile;
        self
    }

    /// The longest that TLS handshake, exchange and appraisal may take together; by default [`DEFAULT_DEADLINE`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The longest wait for a client's first byte after TLS; by default [`DEFAULT_FIRST_BYTE`].
    pub fn first_byte(mut self, wait: Duration) -> Self {
        self.first_byte = wait;
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

    /// The demand that the exchange makes of clients: none where they attest in their certificates.
    pub(crate) fn demand_in_exchange(&self) -> Demand {
        match self.clients_attest {
            Mode::AfterHandshake => self.demand.clone(),
            Mode::InCertificate | Mode::InHandshake => Demand::Nothing,
        }
    }

    /// The same terms, once they are known to make sense.
    ///
    /// # Errors
    /// [`ConfigError`] for terms that are not plain and under which no end attests, and for promises that exclude each
    /// other.
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        if let Some(contradiction) = self.contradiction() {
            return Err(ConfigError::Terms(contradiction));
        }
        if self.purpose == Purpose::Attestation
            && self.attester.is_none()
            && self.demand.relying_party().is_none()
        {
            return Err(ConfigError::NothingToAttest);
        }
        Ok(self)
    }

    /// Settings that exclude each other, or without effect. Each would pass for what it is not.
    fn contradiction(&self) -> Option<&'static str> {
        let nothing_is_demanded = self.demand.relying_party().is_none();
        let in_exchange =
            self.attester.is_some() || self.demand_in_exchange().relying_party().is_some();
        if self.demands == Demands::Differ {
            return Some(
                "`require_peer` refuses the clients that `ask_peer` serves; call one of them",
            );
        }
        let in_handshake = self.attests == Mode::InHandshake;
        if self.purpose == Purpose::Plain && (in_exchange || in_handshake) {
            return Some(
                "under `plain` terms no end attests in an exchange; begin with `ServerTerms::new`",
            );
        }
        if in_handshake && self.attester.is_none() {
            return Some(
                "`attest_in_handshake` has nothing to attest with; give an `attester`, or leave it out",
            );
        }
        if in_handshake && self.order == Order::ClientFirst {
            return Some(
                "`attest_in_handshake` shows everybody what `client_first` hides; leave one of them out",
            );
        }
        if self.order == Order::ClientFirst && !self.demand.is_of_everybody() {
            return Some(
                "`client_first` hides nothing from clients that need not attest; \
                 call `require_peer`, or leave it out",
            );
        }
        if self.clients_attest != Mode::AfterHandshake && nothing_is_demanded {
            return Some(
                "`clients_attest` says how, and nobody has to; \
                 call `require_peer` or `ask_peer`, or leave it out",
            );
        }
        None
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
            .field("profile", &self.profile)
            .field("deadline", &self.deadline)
            .field("first_byte", &self.first_byte)
            .field("attestations", &self.attestations)
            .field("appraisals", &self.appraisals)
            .field("clients_attest", &self.clients_attest)
            .field("attests", &self.attests)
            .field("challenges", &self.challenges)
            .finish()
    }
}
