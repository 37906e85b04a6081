//! The TDX verifier half: pure octets, given policy and collateral.

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
use atls_core::ear::Ear;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::EventLog;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_EVIDENCE;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;
use atls_reference::Live;

use crate::claims::TdxClaims;
use crate::collateral::CollateralSource;
use crate::engine::Engine;
use crate::error::QuoteError;
use crate::findings;
use crate::genuine::Root;
use crate::judge;
use crate::judged::Judged;
use crate::policy::TdxPolicy;

/// Appraises TDX quotes under Intel's root.
///
/// The policy is read anew for each appraisal, so that a file can be reloaded while running.
pub struct TdxVerifier {
    engine: Engine,
    policy: Arc<Live<TdxPolicy>>,
    media_types: Vec<MediaType>,
}

impl TdxVerifier {
    /// Trusts Intel's root. Where collateral is neither at hand nor sent along, `collateral` is asked.
    pub fn new(policy: Arc<Live<TdxPolicy>>, collateral: Arc<dyn CollateralSource>) -> Self {
        Self::under(Root::intel(), policy, collateral)
    }

    /// Trusts another root, in DER: whoever has its key can forge any platform. Its results say
    /// [`Origin::Simulated`](atls_core::Origin::Simulated), which default policies refuse. For the forged platforms of
    /// the feature `testing`.
    pub fn dangerous_with_root(
        root: Vec<u8>,
        policy: Arc<Live<TdxPolicy>>,
        collateral: Arc<dyn CollateralSource>,
    ) -> Self {
        Self::under(Root::other(root), policy, collateral)
    }

    /// Appraises a recorded quote as [`Verifier::appraise`] does, **but for its binding**: signatures, collateral, TCB and policy
    /// are judged, and nothing is compared with its `REPORTDATA`. For trying a policy on Evidence out of a file; `now` is then
    /// a time at which the quote and the collateral at hand were valid.
    ///
    /// # Errors
    /// [`AppraisalError`]: no result.
    pub async fn appraise_recorded(
        &self,
        evidence: &[u8],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        Ok(self.appraise_quote(evidence, &[], now).await?)
    }

    /// The same with collateral that came along, and with an error that says more.
    ///
    /// # Errors
    /// [`QuoteError`]: no result. A genuine quote of a TD that is not good enough is a result, with a status that
    /// says so.
    pub async fn appraise_quote(
        &self,
        quote: &[u8],
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, QuoteError> {
        let judged = self.judged(quote, None, endorsements, now).await?;
        let challenge = judged.claims.report.report_data;
        Ok(judged.recorded(self.engine.origin(), challenge))
    }

    /// As [`appraise_quote`](Self::appraise_quote), with the event log that leads to the quote's RTMRs.
    ///
    /// # Errors
    /// [`QuoteError`], [`QuoteError::EventLog`] where it does not.
    pub async fn appraise_with_event_log(
        &self,
        quote: &[u8],
        event_log: &[u8],
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, QuoteError> {
        let judged = self
            .judged(quote, Some(event_log), endorsements, now)
            .await?;
        let challenge = judged.claims.report.report_data;
        Ok(judged.recorded(self.engine.origin(), challenge))
    }

    fn under(
        root: Root,
        policy: Arc<Live<TdxPolicy>>,
        collateral: Arc<dyn CollateralSource>,
    ) -> Self {
        let media_types = [TDX_QUOTE, TDX_EVIDENCE].map(MediaType::parse);
        Self {
            engine: Engine::new(root, collateral),
            policy,
            media_types: media_types.into_iter().flatten().collect(),
        }
    }

    async fn judged(
        &self,
        quote: &[u8],
        event_log: Option<&[u8]>,
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<Judged<TdxClaims>, QuoteError> {
        let policy = self.policy.current();
        let quote = Quote::decode(quote, Tee::Tdx)?;
        let verified = self
            .engine
            .appraise(&quote, endorsements, &policy.tcb(), now)
            .await?;
        let report = quote.report.as_td().ok_or(QuoteError::Malformed("body"))?;
        let events = match event_log {
            None => Vec::new(),
            Some(log) => EventLog::open(log)?.replay(&report.rtmr)?,
        };
        let (vector, image) = judge::tdx(report, &verified.platform, &policy, now);
        let appraisal = crate::appraisal(
            vector,
            image.map(|image| image.name.as_str()),
            &verified.platform,
        );
        let tcb = policy.tcb();
        let mut findings = findings::td(report, &policy, image);
        findings.extend(findings::platform("tdx", &verified.platform, &tcb, now));
        let known_as = image.map(|image| image.name.clone());
        Ok(Judged {
            ear: Ear::local(verifier_id(), now, "tdx", appraisal).with_expiry(verified.expires_at),
            claims: TdxClaims {
                image: known_as.clone(),
                report: report.clone(),
                platform: verified.platform,
                events,
            },
            findings,
            known_as,
        })
    }

    async fn appraise_evidence(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let endorsements = evidence.endorsements();
        let judged = if MediaType::parse(TDX_EVIDENCE).as_ref() == Ok(evidence.media_type()) {
            let parts = TdxEvidence::decode(evidence.bytes()).map_err(QuoteError::from)?;
            self.judged(&parts.quote, Some(&parts.event_log), endorsements, now)
                .await?
        } else {
            let quote = evidence.bytes();
            self.judged(quote, None, endorsements, now).await?
        };
        let expected = evidence.expected_report_data();
        let matched = expected.compare(&judged.claims.report.report_data)?;
        Ok(judged.bound(self.engine.origin(), matched))
    }
}

impl Verifier for TdxVerifier {
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
        Box::pin(self.appraise_evidence(evidence, now))
    }
}

impl fmt::Debug for TdxVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TdxVerifier")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-tdx", env!("CARGO_PKG_VERSION"))
}
