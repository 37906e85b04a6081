//! What a forwarded result proves too little of.

use atls_core::Binding;
use atls_core::ear::Tier;

/// What the peer of a forwarded result proves less of than a [`ResultReceiver`](super::ResultReceiver) accepts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Shortfall {
    /// It is bound more weakly. The service in front accepts a weaker mode.
    #[error("its attestation is bound to its {seen}, and {least} is the least that is accepted")]
    Binding {
        /// The binding of the peer's attestation.
        seen: Binding,
        /// The weakest that is accepted.
        least: Binding,
    },
    /// A part of it is not stated to be of a device. The service in front accepts simulated peers.
    #[error("evidence comes from a simulator, or from nothing that is stated to be a device")]
    Simulated,
    /// Its status is worse. The log of the service in front has the checks.
    #[error("its status is {seen}, and {worst} is the worst that is accepted")]
    Status {
        /// The status of the peer.
        seen: Tier,
        /// The worst that is accepted.
        worst: Tier,
    },
}
