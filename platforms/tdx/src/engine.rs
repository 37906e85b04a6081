//! The order in which collateral is tried, for TDX and SGX alike.
//!
//! A quote and the Endorsements that a peer sent along go in, a [`Verified`] platform comes out. Our own collateral comes first, at
//! hand or fetched, as it is the last to hide a revocation; then the peer's. The error of the last collateral that is ours is the
//! failure. A peer whose quote does not verify learns nothing about collateral.

use std::mem;
use std::sync::Arc;

use atls_core::Origin;
use atls_core::cmw::Item;

use crate::appraiser::Appraiser;
use crate::appraiser::Case;
use crate::appraiser::Supplier;
use crate::appraiser::Verified;
use crate::collateral;
use crate::collateral::Collateral;
use crate::collateral::CollateralSource;
use crate::error::QuoteError;
use crate::platform::Platform;
use crate::root::Root;
use crate::signatures;

pub(crate) struct Engine {
    appraiser: Appraiser,
    source: Arc<dyn CollateralSource>,
}

impl Engine {
    pub(crate) fn new(root: Root, source: Arc<dyn CollateralSource>) -> Self {
        Self {
            appraiser: Appraiser::new(root),
            source,
        }
    }

    pub(crate) fn collateral_generation(&self) -> u64 {
        self.source.generation()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.appraiser.root().origin()
    }

    /// Appraises a quote. Nothing is fetched for a quote whose own signatures do not verify.
    pub(crate) async fn appraise(
        &self,
        case: &Case<'_>,
        endorsements: &[Item<'_>],
    ) -> Result<Verified, QuoteError> {
        // The chain ends with the root, byte for byte, or nothing below would look at its last certificate.
        self.appraiser.root().split(&case.quote.chain)?;
        let platform = Platform::claimed_by(case.quote)?;
        let mut tried = Vec::new();
        let mut last = QuoteError::NoCollateral;
        let mut worth_fetching = true;
        // Fetched collateral that is rejected may have been kept from another time, so it is fetched once more.
        for supplier in [
            Supplier::AtHand,
            Supplier::Fetched,
            Supplier::Fetched,
            Supplier::Peer,
        ] {
            if supplier == Supplier::Fetched && !mem::take(&mut worth_fetching) {
                continue;
            }
            let found = match supplier {
                Supplier::AtHand => self.source.at_hand(&platform, case.now),
                Supplier::Fetched => match self.fetch(case).await {
                    Err(error @ QuoteError::Unavailable(_)) => {
                        last = error;
                        None
                    }
                    fetched => fetched?,
                },
                Supplier::Peer => from_peer(endorsements).map(Arc::new),
            };
            let Some(collateral) = found else { continue };
            let error = match self.appraiser.by_current(case, &collateral, supplier) {
                Err(error) if is_about_collateral(&error) => error,
                Err(error) => return Err(error),
                Ok(verified) => {
                    let early = self.source.early(collateral.platform(), case.now);
                    let appraiser = &self.appraiser;
                    let verified = appraiser.add_early(verified, early, &collateral, case);
                    return Ok(verified.within_grace(case));
                }
            };
            if supplier == Supplier::Peer {
                // Collateral of a peer that is no good counts as none.
                if last == QuoteError::NoCollateral && error == QuoteError::Expired {
                    last = error;
                }
                // It gets no grace, or the peer could choose the moment at which the platform is appraised.
                continue;
            }
            if self.appraiser.must_reject(case, &collateral, &error) {
                self.source.reject(&collateral, case.now);
                worth_fetching |= supplier == Supplier::Fetched;
            }
            last = error;
            tried.push((collateral, supplier));
        }
        // Nothing current is to be had. A policy with a grace period goes on, with collateral that is ours.
        for (collateral, supplier) in &tried {
            match self.appraiser.by_stale(case, collateral, *supplier) {
                Err(error) if is_about_collateral(&error) => {}
                decided => return decided.map(|verified| verified.within_grace(case)),
            }
        }
        // A lack of collateral is our fault towards genuine platforms only.
        signatures::verify(case.quote, self.appraiser.root(), case.now)?;
        Err(match last {
            // A peer must neither wake our operator by what it withholds nor have another verifier asked.
            QuoteError::NoCollateral if !self.source.can_fetch() => QuoteError::NotSent,
            other => other,
        })
    }

    async fn fetch(&self, case: &Case<'_>) -> Result<Option<Arc<Collateral>>, QuoteError> {
        if !self.source.can_fetch() {
            return Ok(None);
        }
        let platform = signatures::verify(case.quote, self.appraiser.root(), case.now)?;
        let fetched = self.source.fetch(&platform, case.now).await;
        fetched.map_err(QuoteError::Unavailable)
    }
}

fn is_about_collateral(error: &QuoteError) -> bool {
    matches!(
        error,
        QuoteError::Collateral
            | QuoteError::Expired
            | QuoteError::Outdated(_)
            | QuoteError::Superseded
    )
}

/// The first collateral among the Endorsements; one that does not parse counts as not sent.
fn from_peer(endorsements: &[Item<'_>]) -> Option<Collateral> {
    let expected = collateral::media_type().ok()?;
    let item = endorsements
        .iter()
        .find(|item| item.media_type().as_ref() == Some(&expected))?;
    Collateral::decode(item.value()).ok()
}
