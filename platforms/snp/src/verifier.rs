//! The verifier half: bytes in, a result out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::cmw::Item;
use atls_core::ear::Ear;
use atls_core::ear::VerifierId;
use atls_core::finding::Finding;
use atls_core::pki_types::UnixTime;
use atls_formats::snp;
use atls_formats::snp::Report;
use atls_formats::snp::SnpEvidence;
use atls_reference::Live;
use ring::signature::ECDSA_P384_SHA384_FIXED;
use ring::signature::UnparsedPublicKey;

use crate::claims::SnpClaims;
use crate::collateral::PeerCollateral;
use crate::collateral::SnpCollateral;
use crate::findings;
use crate::own_collateral::InForce;
use crate::own_collateral::OwnCollateral;
use crate::policy::SnpPolicy;
use crate::roots::Roots;
use crate::trust_vector;

/// Appraises SEV-SNP Evidence under a root, by a policy.
///
/// In this order, and nothing is fetched for a report that fails before:
///
/// 1. the envelope, the report and the certificate table have their form, reserved bytes are zero;
/// 2. `REPORT_DATA` is the expected challenge, all 64 bytes;
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
    /// Trusts AMD's roots, accepts what `policy` says at that moment, and asks `collateral` for what the Evidence lacks.
    pub fn new(policy: Arc<Live<SnpPolicy>>, collateral: Arc<dyn SnpCollateral>) -> Self {
        Self::dangerous_with_roots(Roots::amd(), policy, collateral)
    }

    /// Trusts other roots **in place of AMD's**: for tests. Whoever has their keys makes any report, so results say
    /// [`Origin::Simulated`](atls_core::Origin::Simulated), which default policies refuse.
    pub fn dangerous_with_roots(
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

    /// Appraises recorded Evidence as [`Verifier::appraise`] does, **but for its binding**: report, chain, revocation and policy
    /// are judged, and nothing is compared with its `REPORT_DATA`. For trying a policy on Evidence out of a file; `now` is then
    /// a time at which the Evidence was valid.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let evidence = SnpEvidence::decode(evidence)?;
        self.appraise_report(&evidence, &[], now).await
    }

    /// The same of Evidence that is at hand in its parts, such as a report out of a paravisor's envelope, whose `REPORT_DATA` is a
    /// digest of something else. Whoever shows that the envelope is about the connection compares what that carries.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_report(
        &self,
        evidence: &SnpEvidence,
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let report = Report::decode(evidence.report())?;
        let judged = self.judged(&report, evidence, endorsements, now).await?;
        let image = judged.claims.image.clone();
        let origin = self.roots.origin();
        let recorded = RecordedAppraisal::new(judged.ear, origin, report.report_data)
            .with_claims(judged.claims)
            .with_findings(judged.findings);
        Ok(match image {
            Some(image) => recorded.with_image(image),
            None => recorded,
        })
    }

    async fn judged(
        &self,
        report: &Report<'_>,
        evidence: &SnpEvidence,
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<Judged, AppraisalError> {
        let peer = PeerCollateral::of(report, evidence.certificates(), endorsements);
        let own = OwnCollateral {
            roots: &self.roots,
            source: &self.collateral,
            now,
        };
        let chain = own.chain(report, &peer).await?;
        let signature = report.signature().ok_or(AppraisalError::BadSignature)?;
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &chain.key)
            .verify(report.signed(), &signature)
            .map_err(|_| AppraisalError::BadSignature)?;
        let policy = self.policy.current();
        let revocation = own
            .revocation(&chain, peer.crl(), policy.allow_missing_crl)
            .await?;
        let mut not_after = chain.not_after;
        if let Some(InForce { list, until }) = revocation {
            if list.revokes(&chain.serials) {
                return Err(AppraisalError::UnknownKey);
            }
            not_after = not_after.min(until);
        }
        let mut claims = SnpClaims::of(report, &chain.extensions)?;
        let appraisal = trust_vector::judge(report, &mut claims, &policy, now);
        let findings = findings::of(report, &claims, &policy, now);
        let outdated = trust_vector::outdated_from(&claims, &policy, now);
        not_after = not_after.min(outdated.unwrap_or(u64::MAX));
        let ear = Ear::local(verifier_id(), now, "snp", appraisal)
            .with_expiry(UnixTime::since_unix_epoch(Duration::from_secs(not_after)));
        Ok(Judged {
            ear,
            claims,
            findings,
        })
    }
}

/// What the policy says of a genuine report, and why.
struct Judged {
    ear: Ear,
    claims: SnpClaims,
    findings: Vec<Finding>,
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
            let expected = snp::report_data(evidence.bound());
            let endorsements = evidence.endorsements();
            let evidence = SnpEvidence::decode(evidence.bytes())?;
            let report = Report::decode(evidence.report())?;
            // Before anything is fetched. It counts once the signature over it was verified, below.
            let matched = expected.compare(&report.report_data)?;
            let judged = self.judged(&report, &evidence, endorsements, now).await?;
            let image = judged.claims.image.clone();
            let origin = self.roots.origin();
            let appraised = Appraised::bound_to_connection(judged.ear, origin, matched)
                .with_claims(judged.claims)
                .with_findings(judged.findings);
            Ok(match image {
                Some(image) => appraised.with_image(image),
                None => appraised,
            })
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

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-snp", env!("CARGO_PKG_VERSION"))
}
