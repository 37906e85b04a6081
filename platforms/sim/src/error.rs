//! Reasons why there is no simulated device.

/// A simulated device, or its trust anchor, cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The bytes are no uncompressed P-256 point, or no P-256 key in PKCS #8.
    #[error("not a key of a simulated device")]
    Key,
    /// The system has no randomness for a key.
    #[error("system has no randomness for a key")]
    Random,
}
