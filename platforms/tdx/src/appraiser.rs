//! From a quote and one piece of collateral to a verified platform.
//!
//! A quote whose layout was read goes in, with collateral of which nothing is verified yet. [`Verified`] comes out: the claims
//! about the platform, and the end of the result. A [`QuoteError`] tells whether the quote or the collateral is at fault, so that
//! the caller can try other collateral.

use std::sync::Arc;

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Quote;
use dcap_qvl::verify::QuoteVerifier;

use crate::chain;
use crate::claims::PartialTcb;
use crate::claims::PlatformClaims;
use crate::collateral::Collateral;
use crate::early::EarlyIssues;
use crate::error::QuoteError;
use crate::hardware;
use crate::library;
use crate::library::LibraryRefusal;
use crate::platform::pck_extension;
use crate::policy::PlatformDemands;
use crate::policy::TcbStatus;
use crate::root::Root;
use crate::seen::SeenEvaluations;
use crate::signatures;
use crate::tcb;
use crate::tcb::Svns;
use crate::time;
use crate::time::DAY;

/// A quote that is appraised by a policy at one time.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) quote: &'a Quote<'a>,
    pub(crate) policy: &'a PlatformDemands<'a>,
    pub(crate) now: UnixTime,
}

/// The platform of a quote whose signatures verified.
pub(crate) struct Verified {
    pub(crate) platform: PlatformClaims,
    /// The end of the result.
    pub(crate) expires_at: UnixTime,
}

impl Verified {
    /// Ends the result no later than the grace by which its platform is accepted.
    pub(crate) fn within_grace(mut self, case: &Case<'_>) -> Self {
        let platform = &self.platform;
        if platform.tcb_status.is_some_and(TcbStatus::is_out_of_date)
            && let Some(end) = hardware::grace_ends(platform.tcb_date, case.policy)
            // Later the platform is refused by its status, and a result has to say so.
            && case.now <= end
        {
            let last = end.max(time::seconds(case.now.as_secs().saturating_add(1)));
            self.expires_at = self.expires_at.min(last);
        }
        self
    }
}

/// The party that collateral is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supplier {
    /// Our source, which had it at hand.
    AtHand,
    /// Our source, which fetched it.
    Fetched,
    /// The peer, which sent it along.
    Peer,
}

/// Appraises quotes under one root.
pub(crate) struct Appraiser {
    root: Root,
    verifier: QuoteVerifier,
    seen: SeenEvaluations,
    early: EarlyIssues,
}

impl Appraiser {
    pub(crate) fn new(root: Root) -> Self {
        Self {
            verifier: root.verifier(),
            root,
            seen: SeenEvaluations::default(),
            early: EarlyIssues::default(),
        }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// By collateral that is valid now.
    pub(crate) fn by_current(
        &self,
        case: &Case<'_>,
        collateral: &Collateral,
        supplier: Supplier,
    ) -> Result<Verified, QuoteError> {
        if collateral.tee() != case.quote.tee() {
            return Err(QuoteError::Collateral);
        }
        // The library looks at the dates of all but the issue of revocation lists.
        if !collateral.is_current(case.now) {
            return Err(match supplier {
                Supplier::AtHand | Supplier::Fetched => {
                    QuoteError::Outdated(collateral.stale(case.now))
                }
                Supplier::Peer => QuoteError::Expired,
            });
        }
        let demanded = case.policy.min_tcb_evaluation_data_number;
        if self.seen.is_above(collateral) || collateral.evaluation().lower() < demanded {
            return Err(QuoteError::Superseded);
        }
        let mut verified = self.verify(case, collateral)?;
        verified.expires_at = verified.expires_at.min(collateral.expires_at());
        if supplier != Supplier::Peer && verified.platform.tcb_evaluation_data_number.is_some() {
            self.seen.remember(collateral);
        }
        Ok(verified)
    }

    /// By collateral that expired within the policy's grace period, as at its last moment. Certificates have no grace: they must
    /// be valid now.
    pub(crate) fn by_stale(
        &self,
        case: &Case<'_>,
        collateral: &Collateral,
        supplier: Supplier,
    ) -> Result<Verified, QuoteError> {
        let grace = u64::from(case.policy.collateral_grace_days).saturating_mul(DAY);
        let expired_at = collateral.expires_at();
        let end = expired_at.as_secs().saturating_add(grace);
        // The cache may allow a grace too.
        let end = end.max(collateral.usable_until());
        if !(expired_at.as_secs()..end).contains(&case.now.as_secs()) {
            return Err(QuoteError::Expired);
        }
        signatures::verify(case.quote, &self.root, case.now)?;
        let certificates = collateral
            .verify_chains(&self.root, case.now)?
            .min(chain::not_after(&case.quote.chain)?);
        let last_moment = Case {
            now: time::seconds(expired_at.as_secs().saturating_sub(1)),
            ..*case
        };
        let mut verified = self.by_current(&last_moment, collateral, supplier)?;
        verified.platform.collateral_is_stale = true;
        verified.expires_at = time::seconds(end.min(certificates));
        Ok(verified)
    }

    /// Adds the rating by Intel's early issue.
    pub(crate) fn add_early(
        &self,
        mut verified: Verified,
        early: Option<Arc<Collateral>>,
        used: &Collateral,
        case: &Case<'_>,
    ) -> Verified {
        verified.platform.early = early.and_then(|early| {
            let issues = &self.early;
            issues.rate(&early, used, case.quote, &self.root, case.now)
        });
        verified
    }

    /// Whether the source must stop giving this collateral: the root did not sign it, or a newer issue was seen. A quote that does
    /// not fit it is no reason, or a hostile platform could have good collateral dropped.
    pub(crate) fn must_reject(
        &self,
        case: &Case<'_>,
        collateral: &Collateral,
        error: &QuoteError,
    ) -> bool {
        match error {
            QuoteError::Collateral if collateral.tee() == case.quote.tee() => {
                let issuer = signatures::pck_issuer(case.quote);
                signatures::verify(case.quote, &self.root, case.now).is_ok()
                    && collateral.verify(issuer, &self.root, case.now).is_err()
            }
            QuoteError::Superseded => self.seen.is_above(collateral),
            _ => false,
        }
    }

    fn verify(&self, case: &Case<'_>, collateral: &Collateral) -> Result<Verified, QuoteError> {
        let quote = case.quote;
        if !library::appraises(quote) {
            return self.verify_in_part(case, collateral, None);
        }
        if !collateral.is_under(&self.root) {
            return Err(QuoteError::Collateral);
        }
        match library::appraise(&self.verifier, quote, collateral, &self.root, case.now) {
            Ok(claims) => {
                let parts = tcb::parts(collateral, &Svns::of(quote)?)?;
                Ok(Verified {
                    platform: PlatformClaims::from_library(&claims, parts)?,
                    expires_at: time::seconds(claims.earliest_expiration_date),
                })
            }
            Err(LibraryRefusal::Error(error)) => Err(error),
            Err(LibraryRefusal::Platform(status)) => {
                self.verify_in_part(case, collateral, Some(status))
            }
        }
    }

    /// A genuine quote that cannot be accepted gets a result, which says more than an error.
    fn verify_in_part(
        &self,
        case: &Case<'_>,
        collateral: &Collateral,
        status: Option<TcbStatus>,
    ) -> Result<Verified, QuoteError> {
        let quote = case.quote;
        signatures::verify(quote, &self.root, case.now)?;
        let pck = pck_extension(quote)?;
        // The result also says how far the platform is behind, by what the root signed.
        let issuer = signatures::pck_issuer(quote);
        let parts = match collateral.verify(issuer, &self.root, case.now) {
            Ok(()) => tcb::parts(collateral, &Svns::of(quote)?)?,
            Err(_) => Vec::new(),
        };
        let tcb = PartialTcb {
            status,
            parts,
            expires_at: collateral.expires_at(),
        };
        Ok(Verified {
            platform: PlatformClaims::from_certificate(&pck, tcb)?,
            expires_at: collateral.expires_at(),
        })
    }
}
