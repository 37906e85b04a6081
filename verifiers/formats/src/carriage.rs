//! The one function from a connection's value to what Evidence carries.

use atls_core::Bound;
use sha2::Digest;
use sha2::Sha512;

/// How Evidence carries the value of a connection, a [`Bound`] of 32 or 48 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Carriage {
    /// SHA-512 of it, where the field always has 64 octets.
    Sha512,
    /// The value itself, where the field takes its length.
    Verbatim,
}

impl Carriage {
    /// The octets that the Evidence must carry.
    pub fn challenge(self, bound: &Bound) -> Vec<u8> {
        match self {
            Self::Sha512 => Sha512::digest(bound.as_bytes()).to_vec(),
            Self::Verbatim => bound.as_bytes().to_vec(),
        }
    }
}
