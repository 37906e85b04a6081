//! The simulator, which says in its tokens that it is one.

/// The implementation ID (RFC 9783 §4.2.2) of every simulated token, 32 bytes of ASCII. A verifier anywhere can tell by it that the token
/// comes from no device.
pub const SIMULATED_IMPLEMENTATION_ID: [u8; 32] = *b"atls-simulated-platform-no-trust";
