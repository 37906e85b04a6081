//! The verifier half: octets in, a result out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_collateral::CollateralError;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::cmw::Item;
use atls_core::ear::Ear;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;
use atls_reference::Live;
use ring::signature::ECDSA_P384_SHA384_FIXED;
use ring::signature::UnparsedPublicKey;

use crate::chain;
use crate::chain::Chain;
use crate::claims::SnpClaims;
use crate::collateral::PeerCollateral;
use crate::collateral::SnpCollateral;
use crate::collateral::VekId;
use crate::crl::RevocationList;
use crate::evidence::SnpEvidence;
use crate::judge;
use crate::policy::SnpPolicy;
use crate::report::Report;
use crate::report::SigningKey;
use crate::roots::Roots;
use crate::tcb::Tcb;

/// Appraises SEV-SNP Evidence under a root, by a policy.
///
/// In this order, and nothing is fetched for a report that fails before:
///
/// 1. the envelope, the report and the certificate table have their form, reserved octets are zero;
/// 2. `REPORT_DATA` is the expected challenge, all 64 octets;
/// 3. there is a VEK for the report's chip and firmware, from the Evidence or from the verifier's own source;
/// 4. root, intermediate and VEK sign each other and are valid now;
/// 5. the VEK signed the report;
/// 6. AMD's revocation list is at hand, signed by the root, up to date, and names none of the three. Where a
///    [`StalePolicy`](atls_collateral::StalePolicy) of the application lets it be used longer, the result ends with that;
/// 7. the policy judges; its words are a result, good or bad, and none of the above is one.
pub struct SnpVerifier {
    roots: Roots,
    policy: Arc<Live<SnpPolicy>>,
    collateral: Arc<dyn SnpCollateral>,
    media_types: Vec<MediaType>,
}

impl SnpVerifier {
    /// Trusts `roots`, accepts what `policy` says at that moment, and asks `collateral` for what the Evidence lacks.
    pub fn new(
        roots: Roots,
        policy: Arc<Live<SnpPolicy>>,
        collateral: Arc<dyn SnpCollateral>,
    ) -> Self {
        Self {
            roots,
            policy,
            collateral,
            media_types: crate::media_type().into_iter().collect(),
        }
    }

    /// Appraises a report that carries `challenge` in its own way, such as one in a paravisor's envelope, whose
    /// `REPORT_DATA` is a digest of something else. **The caller** then shows that the challenge is this connection's.
    ///
    /// # Errors
    /// [`AppraisalError`]
    pub async fn appraise_report(
        &self,
        evidence: &SnpEvidence,
        endorsements: &[Item<'_>],
        challenge: &[u8; 64],
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let report = Report::decode(evidence.report())?;
        if report.report_data != *challenge {
            return Err(AppraisalError::NotBound);
        }
        let peer = PeerCollateral::of(&report, evidence.certificates(), endorsements);
        let chain = self.verify_chain(&report, &peer, now).await?;
        let signature = report.signature().ok_or(AppraisalError::BadSignature)?;
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &chain.key)
            .verify(report.signed(), &signature)
            .map_err(|_| AppraisalError::BadSignature)?;
        let policy = self.policy.current();
        let listed_until = self.revocation(&chain, &peer, &policy, now).await?;
        let not_after = chain.not_after.min(listed_until.unwrap_or(u64::MAX));
        let mut claims = SnpClaims::of(&report, &chain.extensions)?;
        let appraisal = judge::judge(&report, &mut claims, &policy);
        let ear = Ear::local(verifier_id(), now, "snp", appraisal)
            .with_expiry(UnixTime::since_unix_epoch(Duration::from_secs(not_after)));
        Ok(Appraised::new(ear, self.roots.origin()).with_claims(claims))
    }

    async fn verify_chain(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
        now: UnixTime,
    ) -> Result<Chain, AppraisalError> {
        let fetched;
        let vek = match peer.vek() {
            Some(vek) => vek,
            None => {
                fetched = self.fetch_vek(report, now).await?;
                &*fetched
            }
        };
        let mut issuers = Vec::new();
        if let Some(product) = report.product()?
            && peer.authorities().next().is_none()
            && chain::lacks_intermediate(&self.roots, product, report.signing_key)
        {
            let found = self
                .collateral
                .issuers(product, report.signing_key, now)
                .await;
            issuers = found.map_err(unreachable)?;
        }
        let authorities = peer.authorities().chain(issuers.iter().map(|der| &**der));
        let chain = Chain::verify(&self.roots, vek, authorities, now)?;
        if !chain.extensions.fit(report) {
            return Err(AppraisalError::UnknownKey);
        }
        Ok(chain)
    }

    async fn fetch_vek(
        &self,
        report: &Report<'_>,
        now: UnixTime,
    ) -> Result<Arc<[u8]>, AppraisalError> {
        // Version 2 names no product, a hidden chip has no name, and a provider's key is not to be had.
        let product = report.product()?.ok_or(AppraisalError::UnknownKey)?;
        let hwid = match report.signing_key {
            SigningKey::Vcek => report.hwid(product),
            SigningKey::Vlek => None,
        };
        let hwid = hwid.ok_or(AppraisalError::UnknownKey)?;
        self.roots.anchor(product)?;
        let tcb = Tcb::decode(product, report.reported_tcb).ok_or(AppraisalError::Malformed)?;
        let vek = VekId::new(product, hwid, tcb);
        let found = self.collateral.vek(&vek, now).await.map_err(unreachable)?;
        found.ok_or(AppraisalError::UnknownKey)
    }

    /// Until when the list may be used that names none of the chain, in seconds since the epoch. `None` where the policy
    /// does without one.
    async fn revocation(
        &self,
        chain: &Chain,
        peer: &PeerCollateral<'_>,
        policy: &SnpPolicy,
        now: UnixTime,
    ) -> Result<Option<u64>, AppraisalError> {
        let extensions = &chain.extensions;
        let found = self
            .collateral
            .crl(extensions.product, extensions.key, now)
            .await;
        let own = match found {
            Ok(own) => own,
            // What peers can bring about, such as our own limits, must not switch revocation off.
            Err(error) if policy.allow_missing_crl && error.is_outage() => None,
            Err(error) => return Err(unreachable(error)),
        };
        let (list, until) = match (own, peer.crl()) {
            // A bad list of our own is our fault, and says nothing about the peer.
            (Some(own), _) => {
                let at = own.validity_time(now);
                let list = RevocationList::verify(&own.bytes, &chain.ark, at)
                    .map_err(|_| AppraisalError::Unreachable)?;
                let until = if at == now {
                    list.validity().not_after
                } else {
                    own.usable_until.as_secs()
                };
                (list, until)
            }
            (None, Some(peers)) => {
                let list = RevocationList::verify(peers, &chain.ark, now)?;
                let until = list.validity().not_after;
                (list, until)
            }
            (None, None) if policy.allow_missing_crl => return Ok(None),
            (None, None) => return Err(AppraisalError::Unreachable),
        };
        if list.revokes(&chain.serials) {
            return Err(AppraisalError::UnknownKey);
        }
        Ok(Some(until))
    }
}

impl Verifier for SnpVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn generation(&self) -> u64 {
        self.policy.generation()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let challenge = crate::challenge(evidence.bound());
            let endorsements = evidence.endorsements();
            let evidence = SnpEvidence::decode(evidence.bytes())?;
            self.appraise_report(&evidence, endorsements, &challenge, now)
                .await
        })
    }
}

impl fmt::Debug for SnpVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnpVerifier")
            .field("roots", &self.roots)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Whatever kept collateral away, nothing is known about the peer then, and it is not the peer's fault.
fn unreachable(_: CollateralError) -> AppraisalError {
    AppraisalError::Unreachable
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-snp", env!("CARGO_PKG_VERSION"))
}
