//! The proof that Evidence carries the value of a connection.

use std::fmt;

use crate::bound::Bound;

/// The proof that Evidence carries the value of one [`Bound`]. Only [`ExpectedValue::compare`](crate::expected::ExpectedValue::compare) gives one.
///
/// It remembers that `Bound`. A [`RelyingParty`](crate::RelyingParty) accepts it for that value only, so a proof of another
/// connection is worthless. It cannot be copied:
///
/// ```compile_fail,E0599
/// # use atls_core::expected::BoundMatch;
/// fn twice(matched: BoundMatch) -> [BoundMatch; 2] {
///     [matched.clone(), matched]
/// }
/// ```
#[must_use = "a result needs it: Appraised::bound_to_connection"]
pub struct BoundMatch {
    bound: Bound,
}

impl BoundMatch {
    /// The Evidence was found to carry the whole value.
    pub(super) fn new(bound: &Bound) -> Self {
        Self {
            bound: bound.clone(),
        }
    }

    /// Tells whether the proof is about this value.
    pub(crate) fn is_of(&self, bound: &Bound) -> bool {
        self.bound == *bound
    }

    /// A copy, for a result that is used again under the same value.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            bound: self.bound.clone(),
        }
    }
}

impl fmt::Debug for BoundMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoundMatch").field(&self.bound).finish()
    }
}
