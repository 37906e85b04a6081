//! Fetches under way.

use atls_core::BoxFuture;
use futures_util::future::Shared;
use futures_util::future::WeakShared;

use crate::CollateralError;
use crate::Fetched;

/// A fetch, for all who wait for it.
pub(crate) type Outcome = Result<Fetched, CollateralError>;

/// A fetch under way; it lives for as long as somebody waits for it.
pub(crate) struct Flight {
    pub(crate) number: u64,
    pub(crate) future: WeakShared<BoxFuture<'static, Outcome>>,
}

/// To wait for one.
pub(crate) type Waiting = Shared<BoxFuture<'static, Outcome>>;
