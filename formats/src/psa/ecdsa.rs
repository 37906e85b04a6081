//! ECDSA by name, with one hash for each curve.

use atls_core::ear::der;
use coset::iana::Algorithm;

/// An algorithm of RFC 9053 §2.1 with the curve of its own size. COSE would let a key sign by a hash of another size. No Arm device
/// does, and it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ecdsa {
    /// P-256 with SHA-256.
    Es256,
    /// P-384 with SHA-384.
    Es384,
    /// P-521 with SHA-512.
    Es512,
}

impl Ecdsa {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Es256, Self::Es384, Self::Es512];

    /// Bytes of a coordinate, and of each half of a signature: 32, 48 or 66.
    pub fn size(self) -> usize {
        match self {
            Self::Es256 => 32,
            Self::Es384 => 48,
            Self::Es512 => 66,
        }
    }

    /// The signature `r || s` in the form of X.509, `Ecdsa-Sig-Value` (RFC 3279 §2.2.3). `None` unless it has twice [`size`](Self::size).
    pub fn to_x509(self, signature: &[u8]) -> Option<Vec<u8>> {
        let (r, s) = signature.split_at_checked(self.size())?;
        (s.len() == self.size()).then(|| der::integers(&[r, s]))?
    }

    pub(super) fn named(algorithm: Algorithm) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|known| known.algorithm() == algorithm)
    }

    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::Es512 => Algorithm::ES512,
        }
    }
}
