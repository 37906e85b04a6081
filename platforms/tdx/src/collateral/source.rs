//! Where collateral comes from.

use std::sync::Arc;

use atls_collateral::CollateralError;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

use super::bundle::Collateral;
use crate::platform::Platform;
use crate::platform::VerifiedPlatform;

/// Finds collateral by FMSPC, issuer of the PCK certificate, and technology.
///
/// What it gives is verified up to Intel's root where it is used; a source can withhold collateral, or give such as
/// Intel signed within the last month, and no more.
pub trait CollateralSource: Send + Sync {
    /// What is at hand, without waiting. The platform is the peer's claim: look up, and do nothing else with it.
    fn at_hand(&self, platform: &Platform, now: UnixTime) -> Option<Arc<Collateral>>;

    /// Whether [`fetch`](Self::fetch) has anybody to ask.
    fn can_fetch(&self) -> bool {
        false
    }

    /// Asked where nothing that is at hand would do, and before what the peer sent along. The quote's own signatures were
    /// verified before.
    ///
    /// # Errors
    /// [`CollateralError`]
    fn fetch<'a>(
        &'a self,
        platform: &'a VerifiedPlatform,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Arc<Collateral>>, CollateralError>> {
        let _ = (platform, now);
        Box::pin(async { Ok(None) })
    }

    /// Intel's early issue for that platform, where it is at hand: collateral with a higher `tcbEvaluationDataNumber`, that Intel
    /// will make the standard one. Nothing is judged by it; it tells what will be refused then. Nobody waits for it.
    fn early(&self, platform: &Platform, now: UnixTime) -> Option<Arc<Collateral>> {
        let _ = (platform, now);
        None
    }

    /// Told of collateral that it gave and that Intel did not sign, or that is an older issue than it gave before, so that it
    /// gives it no more. [`fetch`](Self::fetch) is then asked once more.
    fn reject(&self, collateral: &Collateral, now: UnixTime) {
        let _ = (collateral, now);
    }
}

/// No collateral but what the peer sends along as Endorsements. The verifier then never uses the network.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CollateralFromPeer;

impl CollateralFromPeer {
    /// The one value.
    pub fn new() -> Self {
        Self
    }
}

impl CollateralSource for CollateralFromPeer {
    fn at_hand(&self, _platform: &Platform, _now: UnixTime) -> Option<Arc<Collateral>> {
        None
    }
}

/// Collateral that the application has, and replaces before it expires by making another verifier or another source.
#[derive(Clone, Debug, Default)]
pub struct SuppliedCollateral {
    known: Vec<Arc<Collateral>>,
    early: Vec<Arc<Collateral>>,
}

impl SuppliedCollateral {
    /// Of two for the same platform, the one with the later `tcbEvaluationDataNumber` is used, then the one that serves
    /// longer.
    pub fn new(collateral: impl IntoIterator<Item = Collateral>) -> Self {
        Self {
            known: collateral.into_iter().map(Arc::new).collect(),
            early: Vec::new(),
        }
    }

    /// With what Intel gives for `update=early`. It warns of platforms that will be refused; nothing is judged by it. Given to
    /// [`new`](Self::new), it would be in force at once.
    #[must_use]
    pub fn with_early(mut self, collateral: impl IntoIterator<Item = Collateral>) -> Self {
        self.early.extend(collateral.into_iter().map(Arc::new));
        self
    }
}

fn newest(known: &[Arc<Collateral>], platform: &Platform) -> Option<Arc<Collateral>> {
    known
        .iter()
        .filter(|collateral| collateral.platform() == platform)
        .max_by_key(|collateral| (collateral.evaluation().lower(), collateral.expires_at()))
        .cloned()
}

impl CollateralSource for SuppliedCollateral {
    fn at_hand(&self, platform: &Platform, _now: UnixTime) -> Option<Arc<Collateral>> {
        newest(&self.known, platform)
    }

    fn early(&self, platform: &Platform, _now: UnixTime) -> Option<Arc<Collateral>> {
        newest(&self.early, platform)
    }
}
