//! The SGX verifier: the same collateral, another report.

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
use atls_formats::dcap::Quote;
use atls_formats::dcap::SGX_QUOTE;
use atls_formats::dcap::Tee;
use atls_reference::Live;

use crate::claims::SgxClaims;
use crate::collateral::CollateralSource;
use crate::engine::Engine;
use crate::error::QuoteError;
use crate::findings;
use crate::genuine::Root;
use crate::judge;
use crate::judged::Judged;
use crate::policy::SgxPolicy;

/// Appraises SGX quotes of version 3 under Intel's root.
pub struct SgxVerifier {
    engine: Engine,
    policy: Arc<Live<SgxPolicy>>,
    media_types: Vec<MediaType>,
}

impl SgxVerifier {
    /// Trusts Intel's root. Where collateral is neither at hand nor sent along, `collateral` is asked.
    pub fn new(policy: Arc<Live<SgxPolicy>>, collateral: Arc<dyn CollateralSource>) -> Self {
        Self::under(Root::intel(), policy, collateral)
    }

    /// Trusts another root, in DER: whoever has its key can forge any platform. Its results say
    /// [`Origin::Simulated`](atls_core::Origin::Simulated), which default policies refuse. For the forged platforms of
    /// the feature `testing`.
    pub fn dangerous_with_root(
        root: Vec<u8>,
        policy: Arc<Live<SgxPolicy>>,
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
    /// [`QuoteError`]: no result. A genuine quote of an enclave that is not good enough is a result, with a status
    /// that says so.
    pub async fn appraise_quote(
        &self,
        quote: &[u8],
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, QuoteError> {
        let judged = self.judged(quote, endorsements, now).await?;
        let challenge = judged.claims.report.report_data;
        Ok(judged.recorded(self.engine.origin(), challenge))
    }

    async fn judged(
        &self,
        quote: &[u8],
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<Judged<SgxClaims>, QuoteError> {
        let policy = self.policy.current();
        let quote = Quote::decode(quote, Tee::Sgx)?;
        let verified = self
            .engine
            .appraise(&quote, endorsements, &policy.tcb(), now)
            .await?;
        let report = quote.report.as_sgx().ok_or(QuoteError::Malformed("body"))?;
        let (vector, enclave) = judge::sgx(report, &verified.platform, &policy, now);
        let appraisal = crate::appraisal(
            vector,
            enclave.map(|enclave| enclave.name.as_str()),
            &verified.platform,
        );
        let tcb = policy.tcb();
        let mut findings = findings::enclave(report, &policy, enclave);
        findings.extend(findings::platform("sgx", &verified.platform, &tcb, now));
        let known_as = enclave.map(|enclave| enclave.name.clone());
        Ok(Judged {
            ear: Ear::local(verifier_id(), now, "sgx", appraisal).with_expiry(verified.expires_at),
            claims: SgxClaims {
                enclave: known_as.clone(),
                report: report.clone(),
                platform: verified.platform,
            },
            findings,
            known_as,
        })
    }

    fn under(
        root: Root,
        policy: Arc<Live<SgxPolicy>>,
        collateral: Arc<dyn CollateralSource>,
    ) -> Self {
        Self {
            engine: Engine::new(root, collateral),
            policy,
            media_types: MediaType::parse(SGX_QUOTE).into_iter().collect(),
        }
    }
}

impl Verifier for SgxVerifier {
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
            let endorsements = evidence.endorsements();
            let judged = self.judged(evidence.bytes(), endorsements, now).await?;
            let expected = evidence.expected_report_data();
            let matched = expected.compare(&judged.claims.report.report_data)?;
            Ok(judged.bound(self.engine.origin(), matched))
        })
    }
}

impl fmt::Debug for SgxVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SgxVerifier")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

fn verifier_id() -> VerifierId {
    VerifierId::new("atls-tdx", env!("CARGO_PKG_VERSION"))
}
