//! Devices, and the one simulator that says so.

use atls_core::Origin;
use atls_formats::psa::Claims;
use atls_formats::psa::SIMULATED_IMPLEMENTATION_ID;
use atls_formats::psa::TokenError;

/// The origin of a token by its implementation ID, which the service verifies with all other claims. One ID names the simulator; any
/// other names a device.
pub(super) fn origin(claims: &Claims) -> Result<Origin, TokenError> {
    Ok(
        match claims.implementation_id()? == SIMULATED_IMPLEMENTATION_ID {
            true => Origin::Simulated,
            false => Origin::Device,
        },
    )
}
