//! The TDX verifier half: pure octets, given policy and collateral.

use std::fmt;
use std::sync::Arc;

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

use crate::claims::TdxClaims;
use crate::collateral::CollateralSource;
use crate::engine::Engine;
use crate::error::QuoteError;
use crate::event_log;
use crate::evidence;
use crate::genuine::Root;
use crate::judge;
use crate::policy::TdxPolicy;
use crate::quote::Quote;
use crate::quote::Tee;
use crate::report::TdReport;

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

    /// Appraises a quote that must carry exactly these 64 octets as its report data, which were made from nothing that
    /// the peer chose. [`Verifier::appraise`] calls it with the value of the live connection.
    ///
    /// # Errors
    /// [`QuoteError`]: no result. A genuine quote of a TD that is not good enough is a result, with a status that
    /// says so.
    pub async fn appraise_quote(
        &self,
        quote: &[u8],
        endorsements: &[Item<'_>],
        report_data: &[u8; 64],
        now: UnixTime,
    ) -> Result<Appraised, QuoteError> {
        self.appraise_parts(quote, None, endorsements, report_data, now)
            .await
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
        report_data: &[u8; 64],
        now: UnixTime,
    ) -> Result<Appraised, QuoteError> {
        self.appraise_parts(quote, Some(event_log), endorsements, report_data, now)
            .await
    }

    fn under(
        root: Root,
        policy: Arc<Live<TdxPolicy>>,
        collateral: Arc<dyn CollateralSource>,
    ) -> Self {
        let media_types = [crate::tdx_quote(), crate::tdx_evidence()];
        Self {
            engine: Engine::new(root, collateral),
            policy,
            media_types: media_types.into_iter().flatten().collect(),
        }
    }

    async fn appraise_parts(
        &self,
        quote: &[u8],
        event_log: Option<&[u8]>,
        endorsements: &[Item<'_>],
        report_data: &[u8; 64],
        now: UnixTime,
    ) -> Result<Appraised, QuoteError> {
        let policy = self.policy.current();
        let quote = Quote::decode(quote, Tee::Tdx)?;
        let finding = self
            .engine
            .appraise(&quote, endorsements, &policy.tcb(), now)
            .await?;
        let report = TdReport::of(&finding.report).ok_or(QuoteError::Malformed("body"))?;
        if report.report_data != *report_data {
            return Err(QuoteError::NotBound);
        }
        let events = match event_log {
            None => Vec::new(),
            Some(log) => event_log::replay(log, &report.rtmr)?,
        };
        let (vector, image) = judge::tdx(&report, &finding.platform, &policy, now);
        let appraisal = crate::appraisal(
            vector,
            image.map(|image| image.name.as_str()),
            &finding.platform,
        );
        let ear = Ear::local(verifier_id(), now, "tdx", appraisal).with_expiry(finding.expires_at);
        Ok(
            Appraised::new(ear, self.engine.origin()).with_claims(TdxClaims {
                image: image.map(|image| image.name.clone()),
                report,
                platform: finding.platform,
                events,
            }),
        )
    }

    async fn appraise_evidence(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, QuoteError> {
        let expected = crate::expected(evidence);
        let endorsements = evidence.endorsements();
        if crate::tdx_evidence().as_ref() == Ok(evidence.media_type()) {
            let (quote, log) = evidence::decode(evidence.bytes())?;
            self.appraise_with_event_log(&quote, &log, endorsements, &expected, now)
                .await
        } else {
            self.appraise_quote(evidence.bytes(), endorsements, &expected, now)
                .await
        }
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
        Box::pin(async move { Ok(self.appraise_evidence(evidence, now).await?) })
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
