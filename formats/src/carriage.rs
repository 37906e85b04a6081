//! The one function from a connection's value to what Evidence carries.

use atls_core::Bound;
use atls_core::ExpectedValue;

/// How Evidence carries the value of a connection, a [`Bound`] of 32 or 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carriage {
    /// SHA-512 of it, where the field always has 64 bytes.
    Sha512,
    /// The value itself, where the field takes its length.
    Verbatim,
}

impl Carriage {
    /// The bytes that the Evidence must carry.
    pub fn challenge(self, bound: &Bound) -> ExpectedValue {
        match self {
            Self::Sha512 => bound.sha512().into(),
            Self::Verbatim => bound.verbatim(),
        }
    }
}
