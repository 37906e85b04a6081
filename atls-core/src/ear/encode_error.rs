//! Failures of writing a result.

use crate::error::Fault;

/// A result that cannot be signed and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The nonce has less than 8 or more than 64 bytes (RFC 9711 §4.1), so no reader would accept the result.
    #[error("nonce of the result does not have 8 to 64 bytes")]
    Nonce,
    /// The key did not sign.
    #[error("key of the results did not sign")]
    Signature,
    /// The result has more than 64 KiB. Leave claims out.
    #[error("result would be larger than 64 KiB")]
    TooLarge,
}

impl EncodeError {
    /// Always this endpoint's.
    pub fn fault(&self) -> Fault {
        Fault::Local
    }
}
