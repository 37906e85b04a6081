//! Keys that cannot be used.

use crate::error::Fault;

/// A key that cannot be used: a fault of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a JWK or JWK set, or a coordinate of the wrong length.
    #[error("not a JWK or JWK set, or a coordinate has the wrong length")]
    Malformed,
    /// An RSA key without `alg`: which algorithm it is for must not be the token's choice. Add it.
    #[error("RSA key does not name its algorithm; add `alg` to the JWK")]
    NoAlgorithm,
    /// More than 1 MiB, 256 keys or 8,192 values, or an identifier of more than 1,024 bytes.
    #[error("key set has more than 1 MiB, 256 keys or 8,192 values")]
    TooLarge,
    /// Another kind, curve, use or operation, an `alg` that does not fit, or RSA under 2048 bits.
    #[error("key is not supported: its kind, curve, use or algorithm, or RSA under 2048 bits")]
    Unsupported,
}

impl KeyError {
    /// Always this endpoint's.
    pub fn fault(&self) -> Fault {
        Fault::Local
    }
}
