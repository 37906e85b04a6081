//! By whose hands a device was made.

use atls_core::Origin;

/// Where a PSA or CCA token comes from by its implementation ID (RFC 9783 §4.2.2), which the token's signature covers. One
/// says: from no device, but from the simulator of `atls-sim`.
pub fn origin_of(implementation_id: &[u8]) -> Origin {
    if implementation_id == SIMULATED {
        Origin::Simulated
    } else {
        Origin::Device
    }
}

/// The implementation ID of every simulated device, as the `atls-sim` crate documents it.
const SIMULATED: &[u8] = b"atls-simulated-platform-no-trust";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulators_implementation_id_is_the_one_that_it_uses() {
        assert_eq!(SIMULATED, atls_sim::IMPLEMENTATION_ID);
        assert_eq!(origin_of(&atls_sim::IMPLEMENTATION_ID), Origin::Simulated);
        assert_eq!(origin_of(&[0; 32]), Origin::Device);
    }
}
