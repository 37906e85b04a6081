//! Devices, and the one simulator that says so.

use atls_core::Origin;

/// The origin of a token by its implementation ID (RFC 9783 §4.2.2), which the token's signature covers. One ID names the simulator
/// of `atls-sim`; any other names a device.
pub fn origin_of(implementation_id: &[u8]) -> Origin {
    match implementation_id == SIMULATED_IMPLEMENTATION_ID {
        true => Origin::Simulated,
        false => Origin::Device,
    }
}

/// The implementation ID of every simulated token, 32 bytes of ASCII. A verifier anywhere can tell by it that the token comes from
/// no device.
pub const SIMULATED_IMPLEMENTATION_ID: [u8; 32] = *b"atls-simulated-platform-no-trust";
