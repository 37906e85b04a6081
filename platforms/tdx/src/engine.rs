//! What TDX and SGX have in common: from bytes and a source of collateral to a verified report.

use std::mem;
use std::sync::Arc;

use atls_core::Origin;
use atls_core::cmw::Item;
use atls_core::pki_types::UnixTime;
use dcap_qvl::verify::QuoteVerifier;

use crate::claims::EarlyTcb;
use crate::claims::PlatformClaims;
use crate::claims::Unjudged;
use crate::collateral;
use crate::collateral::Collateral;
use crate::collateral::CollateralSource;
use crate::error::QuoteError;
use crate::hardware;
use crate::library;
use crate::library::Refused;
use crate::policy::PlatformDemands;
use crate::policy::TcbStatus;
use crate::seen::Seen;
use crate::signatures;
use crate::signatures::Root;
use crate::tcb;
use crate::tcb::Svns;
use crate::time;
use atls_formats::dcap::Quote;

pub(crate) struct Engine {
    root: Root,
    verifier: QuoteVerifier,
    source: Arc<dyn CollateralSource>,
    seen: Seen,
}

/// The platform of a quote whose signatures were verified.
pub(crate) struct Verified {
    pub(crate) platform: PlatformClaims,
    /// Until when the result may be used.
    pub(crate) expires_at: UnixTime,
}

impl Verified {
    /// No result outlives the grace by which its platform is accepted.
    fn within_grace(mut self, policy: &PlatformDemands<'_>, now: UnixTime) -> Self {
        let platform = &self.platform;
        if platform.tcb_status.is_some_and(TcbStatus::is_out_of_date)
            && let Some(end) = hardware::grace_ends(platform.tcb_date, policy)
            // After it the platform is refused by its status, which a result has to say.
            && now <= end
        {
            let last = end.max(time::seconds(now.as_secs().saturating_add(1)));
            self.expires_at = self.expires_at.min(last);
        }
        self
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Giver {
    AtHand,
    Fetched,
    Peer,
}

impl Engine {
    pub(crate) fn new(root: Root, source: Arc<dyn CollateralSource>) -> Self {
        Self {
            verifier: root.verifier(),
            root,
            source,
            seen: Seen::default(),
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        self.root.origin()
    }

    /// Our own collateral first, at hand or fetched, as it is the last to hide a revocation; then the peer's. Nothing is
    /// fetched for a quote whose own signatures do not verify.
    pub(crate) async fn appraise(
        &self,
        quote: &Quote<'_>,
        endorsements: &[Item<'_>],
        policy: &PlatformDemands<'_>,
        now: UnixTime,
    ) -> Result<Verified, QuoteError> {
        // The chain ends with the root, byte for byte, or nothing below would look at its last certificate.
        self.root.split(&quote.chain)?;
        let platform = signatures::claimed_platform(quote)?;
        let mut tried = Vec::new();
        let mut last = QuoteError::NoCollateral;
        let mut worth_fetching = true;
        // Once more where what was fetched is rejected, as it may have been kept from another time.
        for giver in [Giver::AtHand, Giver::Fetched, Giver::Fetched, Giver::Peer] {
            if giver == Giver::Fetched && !mem::take(&mut worth_fetching) {
                continue;
            }
            let given = match giver {
                Giver::AtHand => self.source.at_hand(&platform, now),
                Giver::Fetched => match self.fetch(quote, now).await {
                    Err(error @ QuoteError::Unavailable(_)) => {
                        last = error;
                        None
                    }
                    given => given?,
                },
                Giver::Peer => from_peer(endorsements).map(Arc::new),
            };
            let Some(collateral) = given else { continue };
            match self.current(quote, &collateral, giver, policy, now) {
                Err(error) if is_about_collateral(&error) => {
                    if giver != Giver::Peer && self.is_no_good(quote, &collateral, &error, now) {
                        self.source.reject(&collateral, now);
                        worth_fetching |= giver == Giver::Fetched;
                    }
                    // A fault of our collateral is reported; collateral of a peer that is no good counts as none.
                    if giver != Giver::Peer
                        || (last == QuoteError::NoCollateral && error == QuoteError::Expired)
                    {
                        last = error;
                    }
                    // A peer's collateral gets no grace, or the peer could choose the moment that is looked at.
                    if giver != Giver::Peer {
                        tried.push((collateral, giver));
                    }
                }
                decided => {
                    return decided.map(|verified| {
                        let verified = self.with_early(quote, &collateral, verified, now);
                        verified.within_grace(policy, now)
                    });
                }
            }
        }
        // Nothing current is to be had. Only a policy with a grace period goes on, with what is ours.
        for (collateral, giver) in &tried {
            match self.stale(quote, collateral, *giver, policy, now) {
                Err(error) if is_about_collateral(&error) => {}
                decided => return decided.map(|verified| verified.within_grace(policy, now)),
            }
        }
        // That there is no collateral is our fault towards genuine platforms only.
        signatures::verify(quote, &self.root, now)?;
        Err(match last {
            // A peer must neither wake our operator by what it withholds nor have another verifier asked.
            QuoteError::NoCollateral if !self.source.can_fetch() => QuoteError::NotSent,
            other => other,
        })
    }

    /// With the judgement by Intel's early issue, where that is at hand, newer, and signed by the root.
    fn with_early(
        &self,
        quote: &Quote<'_>,
        used: &Collateral,
        mut verified: Verified,
        now: UnixTime,
    ) -> Verified {
        let issuers = quote.chain.get(1..).unwrap_or_default();
        let early = self.source.early(used.platform(), now).filter(|early| {
            early.platform() == used.platform()
                && early.evaluation().reaches(used.evaluation())
                && early.evaluation() != used.evaluation()
                && early.is_current(now)
                && early.verify(issuers, &self.root, now).is_ok()
        });
        let judged = early.and_then(|early| {
            let parts = tcb::parts(&early, &Svns::of(quote).ok()?).ok()?;
            Some(EarlyTcb::new(early.evaluation().lower(), parts))
        });
        verified.platform.early = judged;
        verified
    }

    async fn fetch(
        &self,
        quote: &Quote<'_>,
        now: UnixTime,
    ) -> Result<Option<Arc<Collateral>>, QuoteError> {
        if !self.source.can_fetch() {
            return Ok(None);
        }
        let platform = signatures::verify(quote, &self.root, now)?;
        let fetched = self.source.fetch(&platform, now).await;
        fetched.map_err(QuoteError::Unavailable)
    }

    fn current(
        &self,
        quote: &Quote<'_>,
        collateral: &Collateral,
        giver: Giver,
        policy: &PlatformDemands<'_>,
        now: UnixTime,
    ) -> Result<Verified, QuoteError> {
        if collateral.tee() != quote.tee() {
            return Err(QuoteError::Collateral);
        }
        // The library looks at the dates of all but the issue of revocation lists.
        if !collateral.is_current(now) {
            return Err(match giver {
                Giver::AtHand | Giver::Fetched => QuoteError::Outdated(collateral.stale(now)),
                Giver::Peer => QuoteError::Expired,
            });
        }
        self.check_evaluation(collateral, policy)?;
        let mut verified = self.found(quote, collateral, now);
        if let Ok(verified) = &mut verified {
            verified.expires_at = verified.expires_at.min(collateral.expires_at());
        }
        match &verified {
            _ if giver == Giver::Peer => {}
            Ok(verified) if verified.platform.tcb_evaluation_data_number.is_some() => {
                self.seen.remember(collateral);
            }
            _ => {}
        }
        verified
    }

    /// Within the policy's grace period after it expired, collateral is used as at its last moment. Certificates have no
    /// grace: they must be valid now.
    fn stale(
        &self,
        quote: &Quote<'_>,
        collateral: &Collateral,
        giver: Giver,
        policy: &PlatformDemands<'_>,
        now: UnixTime,
    ) -> Result<Verified, QuoteError> {
        let grace = u64::from(policy.collateral_grace_days).saturating_mul(DAY);
        let expired_at = collateral.expires_at();
        let end = expired_at.as_secs().saturating_add(grace);
        // Or within that of whoever keeps it.
        let end = end.max(collateral.usable_until());
        if !(expired_at.as_secs()..end).contains(&now.as_secs()) {
            return Err(QuoteError::Expired);
        }
        signatures::verify(quote, &self.root, now)?;
        let certificates = collateral
            .verify_chains(&self.root, now)?
            .min(signatures::not_after(&quote.chain)?);
        let last_moment = time::seconds(expired_at.as_secs().saturating_sub(1));
        let mut verified = self.current(quote, collateral, giver, policy, last_moment)?;
        verified.platform.collateral_is_stale = true;
        verified.expires_at = time::seconds(end.min(certificates));
        Ok(verified)
    }

    fn found(
        &self,
        quote: &Quote<'_>,
        collateral: &Collateral,
        at: UnixTime,
    ) -> Result<Verified, QuoteError> {
        if !library::appraises(quote) {
            return self.unjudged(quote, collateral, None, at);
        }
        if !collateral.is_under(&self.root) {
            return Err(QuoteError::Collateral);
        }
        match library::appraise(&self.verifier, quote, collateral, &self.root, at) {
            Ok(claims) => Ok(Verified {
                platform: PlatformClaims::judged(
                    &claims,
                    tcb::parts(collateral, &Svns::of(quote)?)?,
                )?,
                expires_at: time::seconds(claims.earliest_expiration_date),
            }),
            Err(Refused::Error(error)) => Err(error),
            Err(Refused::Platform(status)) => self.unjudged(quote, collateral, Some(status), at),
        }
    }

    /// A genuine quote that cannot be accepted: a result says why, where an error would not.
    fn unjudged(
        &self,
        quote: &Quote<'_>,
        collateral: &Collateral,
        status: Option<TcbStatus>,
        at: UnixTime,
    ) -> Result<Verified, QuoteError> {
        signatures::verify(quote, &self.root, at)?;
        let leaf = quote.chain.first();
        let pck = leaf
            .and_then(|leaf| dcap_qvl::intel::parse_pck_extension(leaf).ok())
            .ok_or(QuoteError::Malformed("PCK certificate"))?;
        let expires_at = collateral.expires_at();
        // How far behind it is, although that is not why it is refused. Only from what the root signed.
        let issuers = quote.chain.get(1..).unwrap_or_default();
        let parts = match collateral.verify(issuers, &self.root, at) {
            Ok(()) => tcb::parts(collateral, &Svns::of(quote)?)?,
            Err(_) => Vec::new(),
        };
        let judgement = Unjudged {
            status,
            parts,
            expires: expires_at,
        };
        Ok(Verified {
            platform: PlatformClaims::unjudged(&pck, judgement)?,
            expires_at,
        })
    }

    /// Whether our own collateral is to be given no more: it is not what the root signed, or an older issue than was seen.
    /// That a peer's quote did not fit it is not enough, or a hostile platform could have good collateral dropped.
    fn is_no_good(
        &self,
        quote: &Quote<'_>,
        collateral: &Collateral,
        error: &QuoteError,
        now: UnixTime,
    ) -> bool {
        match error {
            QuoteError::Collateral if collateral.tee() == quote.tee() => {
                let issuers = quote.chain.get(1..).unwrap_or_default();
                signatures::verify(quote, &self.root, now).is_ok()
                    && collateral.verify(issuers, &self.root, now).is_err()
            }
            QuoteError::Superseded => self.seen.is_above(collateral),
            _ => false,
        }
    }

    fn check_evaluation(
        &self,
        collateral: &Collateral,
        policy: &PlatformDemands<'_>,
    ) -> Result<(), QuoteError> {
        let demanded = policy.min_tcb_evaluation_data_number;
        if self.seen.is_above(collateral) || collateral.evaluation().lower() < demanded {
            return Err(QuoteError::Superseded);
        }
        Ok(())
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

/// The first of its kind; what does not parse was not sent.
fn from_peer(endorsements: &[Item<'_>]) -> Option<Collateral> {
    let expected = collateral::media_type().ok()?;
    let item = endorsements
        .iter()
        .find(|item| item.media_type().as_ref() == Some(&expected))?;
    Collateral::decode(item.value()).ok()
}

/// Seconds.
const DAY: u64 = 24 * 60 * 60;
