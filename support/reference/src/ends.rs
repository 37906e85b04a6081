//! The end of reference values that a maker published.

use atls_core::Stale;
use atls_core::ear::Ear;
use atls_core::pki_types::UnixTime;

use crate::corim::Corim;

/// When the first of the CoRIMs ends whose values are in a table; none ends where there is no CoRIM, or none with an end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends(Option<UnixTime>);

impl Ends {
    /// This, or the end of the CoRIM where that is earlier.
    pub(crate) fn with(self, corim: &Corim) -> Self {
        let ends = self.0.into_iter().chain(corim.expires_at());
        Self(ends.min())
    }

    /// # Errors
    /// The CoRIM that has ended.
    pub(crate) fn check(self, now: UnixTime) -> Result<(), Stale> {
        match self.0 {
            Some(end) if now >= end => Err(Stale::expired("CoRIM of reference values", end)),
            _ => Ok(()),
        }
    }

    /// The time, from which on nothing is accepted by the values.
    pub fn at(self) -> Option<UnixTime> {
        self.0
    }

    /// Ends a result no later than the values by which it was reached.
    #[must_use]
    pub fn limit(self, ear: Ear) -> Ear {
        let ends = self.0.into_iter().chain(ear.expires_at());
        match ends.min() {
            Some(end) => ear.with_expiry(end),
            None => ear,
        }
    }
}
