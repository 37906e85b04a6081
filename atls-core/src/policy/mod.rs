//! Appraisal policy for Attestation Results (RFC 9334 §8.5).
//!
//! A [`Policy`] looks at a [`Candidate`] and accepts it or returns a [`PolicyViolation`]. Every policy of a
//! relying party must accept. Every relying party starts from the [`StandardPolicy`](crate::StandardPolicy); this module has what a
//! policy of your own needs.

pub(crate) mod appraised_item;
mod bad_composition;
mod bad_status;
mod candidate;
mod composition;
mod expected_item;
mod explanation;
pub mod instance;
mod require_hybrid_group;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod standard;
pub(crate) mod violation;

pub use appraised_item::AppraisedItem;
pub use bad_composition::BadComposition;
pub use bad_status::BadStatus;
pub use bad_status::ItemStatus;
pub use candidate::Candidate;
pub use candidate::ClaimsError;
pub use composition::Composition;
pub use expected_item::ExpectedItem;
pub use explanation::Explanation;
pub use require_hybrid_group::RequireHybridGroup;

use self::violation::PolicyViolation;

/// Accepts or refuses a peer that was appraised. Closures implement it.
///
/// ```
/// # use atls_core::{policy::Candidate, policy::Policy, PolicyViolation};
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
