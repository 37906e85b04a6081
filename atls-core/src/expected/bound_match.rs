//! The proof that Evidence carries the value of a connection.

use std::fmt;

use crate::bound::Bound;

/// Proof that Evidence carries the value of one [`Bound`]: only [`ExpectedValue::compare`] gives one.
///
/// It remembers which `Bound` that was. A [`RelyingParty`](crate::RelyingParty) accepts it for that one only, so a proof that was
/// kept from another connection is worth nothing. It cannot be copied:
///
/// ```compile_fail,E0599
/// # use atls_core::BoundMatch;
/// fn twice(matched: BoundMatch) -> [BoundMatch; 2] {
///     [matched.clone(), matched]
/// }
/// ```
#[must_use = "a result needs it: Appraised::bound_to_connection"]
pub struct BoundMatch {
    bound: Bound,
}

impl BoundMatch {
    /// The value was found in the Evidence, whole.
    pub(super) fn new(bound: &Bound) -> Self {
        Self {
            bound: bound.clone(),
        }
    }

    /// Whether it is about this value.
    pub(crate) fn is_of(&self, bound: &Bound) -> bool {
        self.bound == *bound
    }

    /// For results that are used again under the same value.
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
