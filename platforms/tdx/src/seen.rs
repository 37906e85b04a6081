//! The newest evaluations of platforms that were seen: collateral never goes back behind them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::collateral::Collateral;
use crate::collateral::Evaluation;
use crate::platform::Platform;

/// The highest numbers that our own source gave. Numbers of a peer do not count: Intel publishes the next ones early, and a peer that
/// sends them would have everybody else refused.
#[derive(Default)]
pub(crate) struct SeenEvaluations {
    evaluations: Mutex<BTreeMap<Platform, Evaluation>>,
}

impl SeenEvaluations {
    /// Whether a higher number than that of this collateral was seen.
    pub(crate) fn is_above(&self, collateral: &Collateral) -> bool {
        let seen = self.evaluations.lock();
        let seen = seen.unwrap_or_else(PoisonError::into_inner);
        let seen = seen.get(collateral.platform());
        seen.is_some_and(|seen| !collateral.evaluation().reaches(*seen))
    }

    /// Remembers collateral that the root signed, and that fits a genuine platform.
    pub(crate) fn remember(&self, collateral: &Collateral) {
        let seen = self.evaluations.lock();
        let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
        if seen.len() < MAX_SEEN || seen.contains_key(collateral.platform()) {
            let known = seen
                .entry(*collateral.platform())
                .or_insert_with(|| collateral.evaluation());
            *known = known.highest(collateral.evaluation());
        }
    }
}

/// Kinds of platform. Intel has some dozens.
const MAX_SEEN: usize = 1024;
