//! Appraisal policy for Attestation Results (RFC 9334 §8.5).
//!
//! A [`Policy`] looks at a [`Candidate`] and accepts it or returns a [`PolicyViolation`]. Every policy of a relying party must
//! accept.

use std::borrow::Cow;

use rustls::NamedGroup;

use crate::bad_status::BadStatus;
use crate::binding::Binding;
use crate::candidate::Candidate;
use crate::candidate::ClaimsError;
use crate::composition::ExpectedItem;
use crate::ear::Tier;
use crate::error::Fault;
use crate::finding::Finding;
use crate::media_type::MediaType;
use crate::origin::Origin;
use crate::session::NotKnown;

/// Accepts or refuses a peer that was appraised. Closures implement it.
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
    /// Checks one peer.
    ///
    /// # Errors
    /// [`PolicyViolation`] with the reason of the refusal.
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

/// The policy that every relying party starts from: bound to the connection, every status affirming, from a device.
///
/// Further policies can only accept less. Each method that accepts more says so in its name.
///
/// **It looks at the status as a whole.** Affirming is what its platform attests, and a TPM attests how a machine was booted: not that
/// its memory is encrypted, nor that the TPM is in the machine that the connection is to. Where platforms of several kinds are accepted,
/// demand claims by a further policy.
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
    /// Accepts results that are bound to the connection, affirming, and from a device.
    pub fn new() -> Self {
        Self {
            weakest_binding: Binding::Connection,
            worst_tier: Tier::Affirming,
            simulated: false,
        }
    }

    /// Accepts results with status `warning` too. Something is off, such as firmware that needs an update, and the verifier
    /// leaves the decision to you. `none` and `contraindicated` stay refused.
    #[must_use]
    pub fn accept_warning(mut self) -> Self {
        self.worst_tier = Tier::Warning;
        self
    }

    /// Accepts Evidence of software that anybody can run too. It **proves nothing** about the peer. Use it in development and
    /// tests.
    #[must_use]
    pub fn dangerous_accept_simulated(mut self) -> Self {
        self.simulated = true;
        self
    }

    /// Accepts attestation that is bound more weakly than to the connection too, down to the given [`Binding`]. Use it for peers
    /// that speak nothing better.
    ///
    /// With [`Binding::Handshake`] the holder of a leaked TLS key can relay the Evidence of a genuine attester. With
    /// [`Binding::Key`] it can also replay that Evidence, for as long as nobody knows of the leak; it can certify the key anew, so
    /// no lifetime of a certificate ends that. Either is open to diversion to another genuine machine. [`Binding::Key`] also
    /// accepts results about a key, such as passports that are used again, in every mode.
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

/// The reason for which a policy refuses a peer.
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
    /// The attestation is bound more weakly than the policy wants, and so open to the attacks that [`Binding`] names. Let the
    /// peer attest after the handshake, or accept the weaker binding by [`StandardPolicy::dangerous_accept_binding`].
    #[error(
        "attestation is bound to the {0} only, so it can be relayed or replayed; let the peer attest after the handshake, \
         or accept the weaker binding by StandardPolicy::dangerous_accept_binding"
    )]
    Binding(Binding),
    /// A policy of the application refuses, in its own words.
    #[error("{0}")]
    Custom(Cow<'static, str>),
    /// An item of the attestation is none that a [`Composition`](crate::Composition) names. Let the peer leave it out, or allow it by
    /// [`Composition::allow`](crate::Composition::allow).
    #[error(
        "attestation has an item too many, of {0}; allow it by Composition::allow, or let the peer leave it out"
    )]
    ExtraItem(MediaType),
    /// The group of the key exchange is not known, and the policy demands one. Configure a single group, or a client whose TLS stream
    /// is in reach.
    #[error(
        "group of the key exchange is not known: {0}; configure a single group, or use a connector of atls-tower"
    )]
    GroupNotKnown(NotKnown),
    /// The attestation lacks an item that a [`Composition`](crate::Composition) requires.
    #[error("attestation lacks an item of {0}; let the peer send it, under that label")]
    MissingItem(ExpectedItem),
    /// The key exchange is no hybrid of a curve and ML-KEM. Offer X25519MLKEM768 at both ends, first or alone: rustls' provider
    /// `aws_lc_rs` has it, and `ring` has not.
    #[error(
        "key exchange {0:?} is no hybrid with ML-KEM; let both ends offer X25519MLKEM768, which the provider aws-lc-rs has"
    )]
    NotHybrid(NamedGroup),
    /// The Evidence comes from a simulator. Accept it in development by
    /// [`StandardPolicy::dangerous_accept_simulated`].
    #[error(
        "evidence comes from a simulator, which proves nothing; for development accept it by \
         StandardPolicy::dangerous_accept_simulated"
    )]
    Simulated,
    /// The peer is none of the [known instances](crate::instance::KnownInstances). The text names none: the log may be public.
    #[error(
        "peer is none of the known instances; add it to them, or find out which machine answers under this name"
    )]
    UnknownInstance,
    /// The worst status of all appraised items is not accepted.
    #[error(transparent)]
    Status(#[from] BadStatus),
}

impl PolicyViolation {
    /// The party at fault: the peer, but this end where it does not know what its policy asks for.
    pub fn fault(&self) -> Fault {
        match self {
            Self::GroupNotKnown(_) => Fault::Local,
            _ => Fault::Peer,
        }
    }

    /// The checks that failed. There are none if a policy of the application refused.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Status(status) => status.findings(),
            _ => &[],
        }
    }

    /// A refusal by a policy of the application.
    pub fn custom(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Custom(reason.into())
    }
}

/// A policy that asks for one set of claims refuses a peer that does not have exactly one.
impl From<ClaimsError> for PolicyViolation {
    fn from(error: ClaimsError) -> Self {
        Self::custom(error.to_string())
    }
}
