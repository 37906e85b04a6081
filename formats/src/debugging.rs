//! Who may look into a machine, and what that is worth in a result.

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;

/// Whether the operator of a machine may look into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Debugging {
    /// It may: nothing in it is secret.
    Allowed,
    /// It may not.
    Denied,
}

/// AR4SI `configuration`: a machine into which its operator may look keeps nothing secret, whatever the policy of a service says.
impl From<Debugging> for Appraisal {
    fn from(debugging: Debugging) -> Self {
        let value = match debugging {
            Debugging::Allowed => 96,
            Debugging::Denied => 2,
        };
        Self::new(TrustVector::new().with(Category::Configuration, TrustClaim::new(value)))
    }
}
