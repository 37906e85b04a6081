//! Intel's early issue: how it will rate a platform once it becomes the standard one.
//!
//! An issue that a source has at hand goes in, [`EarlyTcb`] comes out. An issue that is not newer, not current, or not signed by
//! the root gives nothing; no appraisal fails by it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Quote;

use crate::chain;
use crate::claims::EarlyTcb;
use crate::collateral::Collateral;
use crate::error::QuoteError;
use crate::platform::Platform;
use crate::root::Root;
use crate::signatures;
use crate::tcb;
use crate::tcb::Svns;

/// Early issues that verified under one root, so that each is verified once and not for each quote.
#[derive(Default)]
pub(crate) struct EarlyIssues {
    verified: Mutex<BTreeMap<Platform, VerifiedIssue>>,
}

/// An issue of which every signature verified.
struct VerifiedIssue {
    /// Immutable, and kept here: another issue cannot take its address.
    collateral: Arc<Collateral>,
    pck_issuer: Vec<Vec<u8>>,
    /// From the time of the verification to the end of the first certificate, seconds since the epoch. In between all
    /// certificates are valid.
    valid: RangeInclusive<u64>,
}

impl EarlyIssues {
    /// The rating of the platform of a genuine quote, whose standard collateral is `used`.
    pub(crate) fn rate(
        &self,
        early: &Arc<Collateral>,
        used: &Collateral,
        quote: &Quote<'_>,
        root: &Root,
        now: UnixTime,
    ) -> Option<EarlyTcb> {
        let is_newer = early.platform() == used.platform()
            && early.evaluation().reaches(used.evaluation())
            && early.evaluation() != used.evaluation();
        if !is_newer || !early.is_current(now) {
            return None;
        }
        self.verify(early, signatures::pck_issuer(quote), root, now)
            .ok()?;
        let parts = tcb::parts(early, &Svns::of(quote).ok()?).ok()?;
        Some(EarlyTcb::new(early.evaluation().lower(), parts))
    }

    /// Verifies all that Intel signs, unless that was done before for this issue, by this issuer of PCK certificates, and within
    /// the validity of the certificates.
    fn verify(
        &self,
        early: &Arc<Collateral>,
        pck_issuer: &[Vec<u8>],
        root: &Root,
        now: UnixTime,
    ) -> Result<(), QuoteError> {
        if self.is_verified(early, pck_issuer, now) {
            return Ok(());
        }
        early.verify(pck_issuer, root, now)?;
        let end = early.verify_chains(root, now)?;
        self.remember(VerifiedIssue {
            collateral: Arc::clone(early),
            pck_issuer: pck_issuer.to_vec(),
            valid: now.as_secs()..=end.min(chain::not_after(pck_issuer)?),
        });
        Ok(())
    }

    fn is_verified(&self, early: &Arc<Collateral>, pck_issuer: &[Vec<u8>], now: UnixTime) -> bool {
        self.lock().get(early.platform()).is_some_and(|known| {
            Arc::ptr_eq(&known.collateral, early)
                && known.pck_issuer == pck_issuer
                && known.valid.contains(&now.as_secs())
        })
    }

    fn remember(&self, issue: VerifiedIssue) {
        let platform = *issue.collateral.platform();
        let mut verified = self.lock();
        if verified.len() >= MAX_ISSUES && !verified.contains_key(&platform) {
            verified.pop_first();
        }
        verified.insert(platform, issue);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Platform, VerifiedIssue>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Kinds of platform; a fleet has a handful.
const MAX_ISSUES: usize = 64;

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::time::Duration;

    use atls_formats::dcap::Tee;

    use super::*;
    use crate::testing::ForgedPlatform;

    const NOW: u64 = 20_833 * 24 * 60 * 60;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    /// Another root would refuse the issue: that it does not shows that nothing is verified again.
    #[test]
    fn an_issue_is_verified_once_for_its_issuer_and_while_its_certificates_are_valid() {
        let platform = ForgedPlatform::new(NOW).unwrap();
        let issuer = platform.pck_issuer_chain().unwrap();
        let root = Root::other(platform.root());
        let other = Root::other(ForgedPlatform::new(NOW).unwrap().root());
        let early = Arc::new(platform.collateral(Tee::Tdx).unwrap());
        let issues = EarlyIssues::default();
        let refused = Err(QuoteError::BadSignature);
        assert_eq!(issues.verify(&early, &issuer, &other, at(NOW)), refused);
        assert_eq!(issues.verify(&early, &issuer, &root, at(NOW)), Ok(()));
        assert_eq!(issues.verify(&early, &issuer, &other, at(NOW)), Ok(()));
        assert_eq!(issues.verify(&early, &issuer, &other, at(NOW + 1)), Ok(()));
        // Before it was verified, and after its certificates, which end with the year 2049.
        for time in [NOW - 1, 2_524_608_000] {
            assert!(issues.verify(&early, &issuer, &other, at(time)).is_err());
            assert!(
                issues
                    .verify(&early, &issuer, &root, at(2_524_608_000))
                    .is_err()
            );
        }
        // The same bytes in another issue, and another issuer.
        let same = Arc::new((*early).clone());
        assert_eq!(issues.verify(&same, &issuer, &other, at(NOW)), refused);
        let foreign = ForgedPlatform::new(NOW)
            .unwrap()
            .pck_issuer_chain()
            .unwrap();
        assert_eq!(issues.verify(&early, &foreign, &root, at(NOW)), refused);
    }
}
