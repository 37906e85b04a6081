//! The terms of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::RelyingParty;
use atls_core::WireProfile;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::limits::DEFAULT_DEADLINE;

use crate::weaker::Mode;

/// The demands of a client on servers, and its offers to them.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::RelyingParty;
/// # use atls_tower::ClientTerms;
/// # fn example(relying_party: Arc<RelyingParty>) {
/// let terms = ClientTerms::new().require_peer(relying_party);
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct ClientTerms {
    pub(crate) relying_party: Option<Arc<RelyingParty>>,
    unattested: Unattested,
    pub(crate) attester: Option<Arc<dyn Attester>>,
    attests: Order,
    pub(crate) servers_attest: Mode,
    pub(crate) profile: WireProfile,
    pub(crate) deadline: Duration,
}

/// Whether a server may go without attestation where none is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unattested {
    Accepted,
    Refused,
}

impl ClientTerms {
    /// Terms without demands and offers. A connector refuses them as they are.
    pub fn new() -> Self {
        Self {
            relying_party: None,
            unattested: Unattested::Refused,
            attester: None,
            attests: Order::ClientLast,
            servers_attest: Mode::AfterHandshake,
            profile: WireProfile::default(),
            deadline: DEFAULT_DEADLINE,
        }
    }

    /// Every server must attest and be accepted by this relying party, before a first byte of HTTP is sent. It does not go together with
    /// [`dangerous_accept_unattested_servers`](Self::dangerous_accept_unattested_servers).
    pub fn require_peer(mut self, relying_party: Arc<RelyingParty>) -> Self {
        self.relying_party = Some(relying_party);
        self
    }

    /// Accepts servers by their TLS certificate alone, as any HTTPS client does: for a client that only attests itself. It does not go
    /// together with [`require_peer`](Self::require_peer).
    pub fn dangerous_accept_unattested_servers(mut self) -> Self {
        self.unattested = Unattested::Accepted;
        self
    }

    /// Attests to servers that ask, once they were accepted themselves.
    pub fn attester(mut self, attester: Arc<dyn Attester>) -> Self {
        self.attester = Some(attester);
        self
    }

    /// Attests, by its [`attester`](Self::attester), to servers that ask also before they attested themselves: any server with a trusted
    /// certificate then learns what this client is.
    pub fn attest_before_server(mut self) -> Self {
        self.attests = Order::ClientFirst;
        self
    }

    /// How servers attest; by default after the handshake. In the two [weaker](crate::weaker) modes there is no exchange,
    /// for such servers do not speak it; the relying party's policy must accept their binding too. A client that attests
    /// to them does so by the certificate resolver of its TLS configuration.
    pub fn servers_attest(mut self, mode: Mode) -> Self {
        self.servers_attest = mode;
        self
    }

    /// The version of the draft that the exchange follows; by default [`WireProfile::EXPAT_03`]. Servers must be configured for
    /// the same one: connections to others end.
    pub fn profile(mut self, profile: WireProfile) -> Self {
        self.profile = profile;
        self
    }

    /// The longest that TLS handshake, exchange and appraisal may take together; by default
    /// [`DEFAULT_DEADLINE`].
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same terms, once they are known to make sense.
    ///
    /// # Errors
    /// [`ConfigError`] for terms that neither demand nor offer anything, or do not say that they demand nothing, and for settings that
    /// exclude each other or have no effect.
    pub(crate) fn checked(self) -> Result<Self, ConfigError> {
        if let Some(contradiction) = self.contradiction() {
            return Err(ConfigError::Terms(contradiction));
        }
        if self.relying_party.is_none() {
            match (self.unattested, &self.attester) {
                (Unattested::Refused, _) => return Err(ConfigError::PeerNotRequired),
                (Unattested::Accepted, None) => return Err(ConfigError::NothingToAttest),
                (Unattested::Accepted, Some(_)) => {}
            }
        }
        Ok(self)
    }

    /// Settings that exclude each other, or without effect. Each would pass for what it is not.
    fn contradiction(&self) -> Option<&'static str> {
        let has_exchange = self.servers_attest == Mode::AfterHandshake;
        if self.relying_party.is_some() && self.unattested == Unattested::Accepted {
            return Some(
                "`require_peer` refuses the servers that `dangerous_accept_unattested_servers` accepts; \
                 leave one of them out",
            );
        }
        if self.attests == Order::ClientFirst && self.attester.is_none() {
            return Some(
                "`attest_before_server` has nothing to attest with; give an `attester`, or leave it out",
            );
        }
        if !has_exchange && self.attester.is_some() {
            return Some(
                "`servers_attest` says that there is no exchange, in which an `attester` would be asked; \
                 attest by the certificate resolver of TLS",
            );
        }
        if !has_exchange && self.relying_party.is_none() {
            return Some("`servers_attest` says how, and no server has to; call `require_peer`");
        }
        None
    }

    pub(crate) fn offer(&self) -> Parameters {
        let relying_party = self.relying_party.as_ref();
        let formats = relying_party
            .map(|party| party.media_types())
            .unwrap_or_default();
        Parameters::client(formats, relying_party.is_some(), self.can_attest())
    }

    pub(crate) fn can_attest(&self) -> CanAttest {
        match (&self.attester, self.attests) {
            (None, _) => CanAttest::No,
            (Some(_), Order::ClientLast) => CanAttest::AfterServer,
            (Some(_), Order::ClientFirst) => CanAttest::EitherOrder,
        }
    }
}

impl Default for ClientTerms {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ClientTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientTerms")
            .field("relying_party", &self.relying_party)
            .field("unattested", &self.unattested)
            .field(
                "attester",
                &self
                    .attester
                    .as_ref()
                    .map(|attester| attester.media_types()),
            )
            .field("attests", &self.attests)
            .field("servers_attest", &self.servers_attest)
            .field("profile", &self.profile)
            .field("deadline", &self.deadline)
            .finish()
    }
}
