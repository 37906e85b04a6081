//! Why there is no collateral.

use atls_core::http::HttpError;
use atls_core::http::NotSent;

/// There is no collateral. The peer stays unknown, and is refused by the fault of the verifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralError {
    /// The address of its service is neither `https` nor on this machine. Correct the configuration.
    #[error("address of a service for collateral is not https; http is only for this machine")]
    Address,
    /// Every piece at hand has expired. Compare the clocks, and look whether the maker can be reached.
    #[error("collateral has expired; compare the clocks, and see whether its maker can be reached")]
    Expired,
    /// A key with another character than those of [`Fetch::fetch`](crate::Fetch::fetch), empty, or of more than
    /// [`MAX_KEY`](crate::MAX_KEY) bytes.
    #[error("collateral is asked for by a malformed key")]
    Key,
    /// The answer of its maker cannot be read, or is about another piece. Look for a proxy that answers in its place.
    #[error(
        "collateral cannot be read or is not what was asked for; look for a proxy that answers in its maker's place"
    )]
    Malformed,
    /// An older issue than one seen before: the answer of a stale cache on the way, or an attempt to undo a revocation.
    #[error("collateral is older than what was seen before; a cache on the way may be stale")]
    RolledBack,
    /// Its maker answered with another status than 200.
    #[error("service for collateral answered with HTTP status {0}")]
    Status(u16),
    /// Its maker was not reached, or the request was not sent.
    #[error("collateral could not be fetched")]
    Unreachable(#[from] HttpError),
}

impl CollateralError {
    /// Whether the maker was out: not reached, or answering with a failure of its own (status 500 to 599). A policy may go on
    /// without collateral in this case alone.
    ///
    /// `false` for all that peers can bring about, because peers cause requests: limits of this end, and the limit of the maker
    /// (status 429). `false` also for contents that cannot be read, went backwards or have expired.
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
