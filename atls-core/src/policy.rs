//! Appraisal policy for Attestation Results (RFC 9334 §8.5): good enough for whom?

use std::borrow::Cow;

use crate::attestation::Candidate;
use crate::attestation::ClaimsError;
use crate::bad_status::BadStatus;
use crate::binding::Binding;
use crate::ear::Tier;
use crate::error::Fault;
use crate::finding::Finding;
use crate::origin::Origin;

/// Decides whether an appraised peer is good enough. Implemented for closures.
///
/// ```
/// # use atls_core::{Candidate, Policy, PolicyViolation};
/// let one_measurement_only = |candidate: &Candidate| match candidate.items().len() {
///     1 => Ok(()),
///     _ => Err(PolicyViolation::custom("one device expected")),
/// };
/// # fn is_policy(_: impl Policy) {}
/// # is_policy(one_measurement_only);
/// ```
pub trait Policy: Send + Sync {
    /// # Errors
    /// [`PolicyViolation`] names what was not good enough.
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation>;
}

impl<F> Policy for F
where
    F: Fn(&Candidate) -> Result<(), PolicyViolation> + Send + Sync,
{
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        self(candidate)
    }
}

/// The policy that every relying party starts from, and that further policies can only narrow: bound to the
/// connection, every status affirming, from a device.
///
/// What loosens it has a name that says so.
///
/// ```
/// use atls_core::{Binding, StandardPolicy};
///
/// // The default, for devices whose status is affirming:
/// let strict = StandardPolicy::new();
/// // For a while, until all firmware is up to date:
/// let lenient = StandardPolicy::new().accept_warning();
/// // For tests: the simulator proves nothing.
/// let simulated = StandardPolicy::new().dangerous_accept_simulated();
/// assert!(strict != lenient && strict != simulated);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardPolicy {
    weakest_binding: Binding,
    worst_tier: Tier,
    simulated: bool,
}

impl StandardPolicy {
    /// Bound to the connection, affirming, from a device.
    pub fn new() -> Self {
        Self {
            weakest_binding: Binding::Connection,
            worst_tier: Tier::Affirming,
            simulated: false,
        }
    }

    /// Also accepts results with status `warning`: something is off, such as firmware that needs an update, and the
    /// verifier left the decision to you. `none` and `contraindicated` stay refused.
    #[must_use]
    pub fn accept_warning(mut self) -> Self {
        self.worst_tier = Tier::Warning;
        self
    }

    /// Also accepts peers whose Evidence comes from software that anybody can run. **Proves nothing** about the
    /// peer: for development and tests.
    #[must_use]
    pub fn dangerous_accept_simulated(mut self) -> Self {
        self.simulated = true;
        self
    }

    /// Also accepts attestation that is bound more weakly than to the connection, down to the given [`Binding`].
    ///
    /// With [`Binding::Handshake`] who holds a leaked TLS key relays the Evidence of a genuine attester; with
    /// [`Binding::Key`] he in addition replays it for as long as nobody knows of the leak: no lifetime of a certificate
    /// ends that, as he can certify the key anew. Either is open to diversion to another genuine machine. For peers that
    /// speak nothing better. With [`Binding::Key`] that includes results that are about a key, such as passports that are used
    /// again, in whatever mode they come.
    #[must_use]
    pub fn dangerous_accept_binding(mut self, weakest: Binding) -> Self {
        self.weakest_binding = weakest;
        self
    }
}

impl Default for StandardPolicy {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for StandardPolicy {
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        if candidate.binding() < self.weakest_binding {
            return Err(PolicyViolation::Binding(candidate.binding()));
        }
        let simulated = candidate
            .items()
            .iter()
            .any(|item| item.origin() != Origin::Device);
        if simulated && !self.simulated {
            return Err(PolicyViolation::Simulated);
        }
        let status = candidate.status();
        match status {
            Tier::Affirming => Ok(()),
            Tier::Warning if self.worst_tier == Tier::Warning => Ok(()),
            _ => Err(PolicyViolation::Status(BadStatus::of(candidate))),
        }
    }
}

/// The peer was appraised and is not good enough.
///
/// ```
/// use atls_core::{Fault, PolicyViolation};
///
/// let violation = PolicyViolation::custom("not the current release");
/// assert_eq!(violation.to_string(), "not the current release");
/// assert_eq!(violation.fault(), Fault::Peer);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyViolation {
    /// Bound more weakly than the policy wants, hence open to the attacks that [`Binding`] names. Let the peer attest
    /// after the handshake, or accept the weaker binding by [`StandardPolicy::dangerous_accept_binding`].
    #[error(
        "attestation is bound to the {0} only, so it can be relayed or replayed; let the peer attest after the handshake, \
         or accept the weaker binding by StandardPolicy::dangerous_accept_binding"
    )]
    Binding(Binding),
    /// A policy of the application, in its own words.
    #[error("{0}")]
    Custom(Cow<'static, str>),
    /// The Evidence comes from a simulator. Accept it in development by
    /// [`StandardPolicy::dangerous_accept_simulated`].
    #[error(
        "evidence comes from a simulator, which proves nothing; for development accept it by \
         StandardPolicy::dangerous_accept_simulated"
    )]
    Simulated,
    /// The worst status of all appraised items is not accepted.
    #[error(transparent)]
    Status(#[from] BadStatus),
}

impl PolicyViolation {
    /// Always the peer's, which is not good enough.
    pub fn fault(&self) -> Fault {
        Fault::Peer
    }

    /// The checks that were not passed; none where another policy refused.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Status(status) => status.findings(),
            _ => &[],
        }
    }

    /// For policies of the application.
    pub fn custom(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Custom(reason.into())
    }
}

/// For policies: a peer without the one thing to look at is refused.
impl From<ClaimsError> for PolicyViolation {
    fn from(error: ClaimsError) -> Self {
        Self::custom(error.to_string())
    }
}
