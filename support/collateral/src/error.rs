//! Why there is no collateral.

use atls_core::http::HttpError;
use atls_core::http::NotSent;

/// Collateral is not to be had. Nothing is known about the peer then: it is refused, as the verifier's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralError {
    /// Its service has an address that is not `https`, nor on this machine. Correct the configuration.
    #[error("address of a service for collateral is not https; http is only for this machine")]
    Address,
    /// All that is at hand has expired.
    #[error("collateral has expired; compare the clocks, and see whether its maker can be reached")]
    Expired,
    /// A key with another character than those of [`Fetch::fetch`], empty, or of more than [`MAX_KEY`] bytes.
    #[error("collateral is asked for by a malformed key")]
    Key,
    /// Its maker gave something that cannot be read or is not what was asked for.
    #[error(
        "collateral cannot be read or is not what was asked for; look for a proxy that answers in its maker's place"
    )]
    Malformed,
    /// An older issue than one that was seen before: an old answer of a cache on the way, or an attempt to undo a
    /// revocation.
    #[error("collateral is older than what was seen before; a cache on the way may be stale")]
    RolledBack,
    /// Its maker answered with another status than 200.
    #[error("service for collateral answered with HTTP status {0}")]
    Status(u16),
    /// Its maker was not reached.
    #[error("collateral could not be fetched")]
    Unreachable(#[from] HttpError),
}

impl CollateralError {
    /// Whether the maker was out: not reached, or answering with a failure of its own (status 500 to 599). Only then may
    /// anybody go on without what was asked for, where a policy says so.
    ///
    /// Never for what peers could bring about: limits of this end, or the maker's (status 429), since it is peers who
    /// cause requests; nor for contents that cannot be read, went backwards or have expired.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 500..=599),
            Self::Unreachable(HttpError::NotSent(NotSent::Failing)) => true,
            Self::Unreachable(HttpError::NotSent(_) | HttpError::TooLarge) => false,
            Self::Unreachable(_) => true,
            Self::Address | Self::Expired | Self::Key | Self::Malformed | Self::RolledBack => false,
        }
    }
}
