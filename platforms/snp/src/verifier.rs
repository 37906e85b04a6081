//! The verifier half: Evidence goes in, a result comes out. Without a result there is an `AppraisalError` that says whose fault it
//! is.

use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::cmw::Item;
use atls_core::combine::chain::UnboundEvidence;
use atls_core::combine::chain::UnboundVerifier;
use atls_core::ear::Ear;
use atls_core::ear::VerifierId;
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
use crate::policy::SnpPolicy;
use crate::resolver::ResolvedList;
use crate::resolver::Resolver;
use crate::roots::Roots;
use crate::roots::SnpRoot;
use crate::rules::Rules;
use crate::trust_vector;
use crate::x509::time;

/// Appraises SEV-SNP Evidence under a root, by a policy, in this order. It fetches nothing for a report that fails before:
///
/// 1. the envelope, the report and the certificate table have their form, reserved bytes are zero;
/// 2. `REPORT_DATA` is the expected challenge, all 64 bytes;
/// 3. there is a VEK for the report's chip and firmware, from the Evidence or from the verifier's own source;
/// 4. root, intermediate and VEK sign each other and are valid now;
/// 5. the VEK signed the report;
/// 6. AMD's revocation list is at hand, the root signed it, it is up to date, and it names none of the three. If a
///    [`StalePolicy`](atls_collateral::StalePolicy) of the application lets it be used longer, the result ends with that;
/// 7. the policy is checked. Only this step gives a result, good or bad.
pub struct SnpVerifier {
    roots: Roots,
    policy: Arc<Live<SnpPolicy>>,
    collateral: Arc<dyn SnpCollateral>,
    media_types: Vec<MediaType>,
}

impl SnpVerifier {
    /// Trusts AMD's roots, checks the policy that is current at each appraisal, and asks `collateral` for what the Evidence lacks.
    pub fn new(policy: Arc<Live<SnpPolicy>>, collateral: Arc<dyn SnpCollateral>) -> Self {
        Self::under(Roots::amd(), policy, collateral)
    }

    /// Trusts another root **in place of AMD's**: for tests. The owner of its key makes any report, so results say
    /// [`Origin::Simulated`](atls_core::Origin::Simulated), which default policies refuse.
    pub fn dangerous_with_root(
        root: SnpRoot,
        policy: Arc<Live<SnpPolicy>>,
        collateral: Arc<dyn SnpCollateral>,
    ) -> Self {
        Self::under(root.into(), policy, collateral)
    }

    /// Appraises recorded Evidence as [`Verifier::appraise`] does, **but for its binding**: it checks report, chain, revocation and
    /// policy, and compares nothing with `REPORT_DATA`. It tries a policy on Evidence out of a file; `now` is then a time at which
    /// the Evidence was valid.
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

    /// Appraises Evidence in its parts in the same way, such as a report out of a paravisor's envelope, whose `REPORT_DATA` is a
    /// digest of something else. The caller compares the value that the envelope carries with that of the connection.
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
        self.appraise_decoded(&report, evidence, endorsements, now)
            .await
    }

    fn under(
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

    /// Steps 3 to 7.
    async fn appraise_decoded(
        &self,
        report: &Report<'_>,
        evidence: &SnpEvidence,
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        let peer = PeerCollateral::of(report, evidence.certificates(), endorsements);
        let resolver = Resolver {
            roots: &self.roots,
            source: &self.collateral,
            now,
        };
        let chain = resolver.chain(report, &peer).await?;
        let signature = report.signature().ok_or(AppraisalError::BadSignature)?;
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, &chain.key)
            .verify(report.signed(), &signature)
            .map_err(|_| AppraisalError::BadSignature)?;
        let (policy, ends) = self.policy.valid_at(now)?;
        let mut not_after = chain.not_after;
        let revocation = resolver.revocation(&chain, &peer, &policy).await?;
        if let Some(ResolvedList { list, until }) = revocation {
            if list.revokes(&chain.serials) {
                return Err(AppraisalError::UnknownKey);
            }
            not_after = not_after.min(until);
        }
        let mut claims = SnpClaims::of(report, &chain.extensions)?;
        let rules = Rules::of(report, &claims, &policy, now);
        let appraisal = trust_vector::of(&rules);
        let findings = findings::of(report, &claims, &policy, &rules);
        let findings = self.policy.located(&policy, findings);
        not_after = not_after.min(rules.outdated_from().unwrap_or(u64::MAX));
        let image = rules.image.map(|image| image.name.clone());
        claims.image.clone_from(&image);
        let verifier = VerifierId::new("atls-snp", env!("CARGO_PKG_VERSION"));
        let ear = Ear::local(verifier, now, "snp", appraisal).with_expiry(time(not_after));
        let ear = ends.limit(ear);
        let origin = self.roots.origin();
        Ok(RecordedAppraisal::new(ear, origin, report.report_data)
            .with_instances(claims.instances())
            .with_claims(claims)
            .with_findings(findings)
            .with_image(image))
    }
}

impl Verifier for SnpVerifier {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// That of the policy, and that of the collateral's source.
    fn generation(&self) -> u64 {
        let collateral = self.collateral.generation();
        self.policy.generation().wrapping_add(collateral)
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
            // Before every fetch. It counts once the signature is verified, below.
            drop(expected.compare(&report.report_data)?);
            let appraising = self.appraise_decoded(&report, &evidence, endorsements, now);
            appraising.await?.bind(&expected)
        })
    }
}

/// A report whose `REPORT_DATA` is something else than the value of a connection, such as one that a paravisor requested.
impl UnboundVerifier for SnpVerifier {
    fn appraise_unbound<'a>(
        &'a self,
        evidence: &'a UnboundEvidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<RecordedAppraisal, AppraisalError>> {
        Box::pin(async move {
            let parts = SnpEvidence::decode(evidence.bytes())?;
            self.appraise_report(&parts, evidence.endorsements(), now)
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
