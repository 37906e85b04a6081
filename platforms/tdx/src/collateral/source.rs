//! Sources of collateral.
//!
//! A platform goes in, collateral comes out, or none. A source that fetches may fail with a [`CollateralError`]. A source verifies nothing:
//! the verifier does.

use std::sync::Arc;

use atls_collateral::CollateralError;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

use super::bundle::Collateral;
use crate::platform::Platform;
use crate::platform::VerifiedPlatform;

/// Finds collateral by FMSPC, issuer of the PCK certificate, and technology.
///
/// The verifier verifies the collateral up to Intel's root. So a source can withhold collateral, or give collateral that Intel
/// signed within the last month; it can do no other harm.
pub trait CollateralSource: Send + Sync {
    /// The collateral at hand, without waiting. The platform is the peer's claim: use it for the look-up alone.
    fn at_hand(&self, platform: &Platform, now: UnixTime) -> Option<Arc<Collateral>>;

    /// A number that rises when collateral that was given is replaced by other: an appraisal under the old one is then not used
    /// again by [`Cached`](atls_core::combine::Cached). Default: it never is.
    fn generation(&self) -> u64 {
        0
    }

    /// Whether [`fetch`](Self::fetch) asks anybody.
    fn can_fetch(&self) -> bool {
        false
    }

    /// Fetches collateral: where none at hand serves, and before that of the peer is tried. The quote's own signatures have
    /// verified by then.
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
    /// will make the standard one. It decides nothing and nobody waits for it; it warns of platforms that will be refused. Its
    /// signatures are verified once for each `Arc`, so give the same one each time.
    fn early(&self, platform: &Platform, now: UnixTime) -> Option<Arc<Collateral>> {
        let _ = (platform, now);
        None
    }

    /// Must stop giving this collateral: Intel did not sign it, or it is an older issue than one that was given before.
    /// [`fetch`](Self::fetch) is then called once more.
    fn reject(&self, collateral: &Collateral, now: UnixTime) {
        let _ = (collateral, now);
    }
}

/// No collateral of one's own: the peer must send it along as Endorsements. The verifier then never uses the network.
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

/// Collateral of the application. Before it expires, the application makes another verifier with other collateral.
#[derive(Clone, Debug, Default)]
pub struct SuppliedCollateral {
    known: Vec<Arc<Collateral>>,
    early: Vec<Arc<Collateral>>,
}

impl SuppliedCollateral {
    /// Where two are for the same platform, the one with the higher `tcbEvaluationDataNumber` is used, then the one that serves
    /// longer.
    pub fn new(collateral: impl IntoIterator<Item = Collateral>) -> Self {
        Self {
            known: collateral.into_iter().map(Arc::new).collect(),
            early: Vec::new(),
        }
    }

    /// Adds Intel's answers to `update=early`. They warn of platforms that will be refused, and decide nothing. Given to
    /// [`new`](Self::new), they would be in force at once.
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
