//! The policy that every relying party starts from.

use super::Policy;
use super::bad_status::BadStatus;
use super::candidate::Candidate;
use super::violation::PolicyViolation;
use crate::binding::Binding;
use crate::ear::Tier;
use crate::origin::Origin;

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
