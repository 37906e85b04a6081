//! The SGX verifier: the same collateral, another report.

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

use crate::claims::SgxClaims;
use crate::collateral::CollateralSource;
use crate::engine::Engine;
use crate::error::QuoteError;
use crate::genuine::Root;
use crate::judge;
use crate::policy::SgxPolicy;
use crate::quote::Quote;
use crate::quote::Tee;
use crate::report::SgxReport;

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

    /// Appraises a quote that must carry exactly these 64 octets as its report data, which were made from nothing that
    /// the peer chose. [`Verifier::appraise`] calls it with the value of the live connection.
    ///
    /// # Errors
    /// [`QuoteError`]: no result. A genuine quote of an enclave that is not good enough is a result, with a status
    /// that says so.
    pub async fn appraise_quote(
        &self,
        quote: &[u8],
        endorsements: &[Item<'_>],
        report_data: &[u8; 64],
        now: UnixTime,
    ) -> Result<Appraised, QuoteError> {
        let policy = self.policy.current();
        let quote = Quote::decode(quote, Tee::Sgx)?;
        let finding = self
            .engine
            .appraise(&quote, endorsements, &policy.tcb(), now)
            .await?;
        let report = finding.report.as_sgx();
        let report = SgxReport::try_from(report.ok_or(QuoteError::Malformed("body"))?)?;
        if report.report_data != *report_data {
            return Err(QuoteError::NotBound);
        }
        let (vector, enclave) = judge::sgx(&report, &finding.platform, &policy, now);
        let appraisal = crate::appraisal(
            vector,
            enclave.map(|enclave| enclave.name.as_str()),
            &finding.platform,
        );
        let ear = Ear::local(verifier_id(), now, "sgx", appraisal).with_expiry(finding.expires_at);
        Ok(
            Appraised::new(ear, self.engine.origin()).with_claims(SgxClaims {
                enclave: enclave.map(|enclave| enclave.name.clone()),
                report,
                platform: finding.platform,
            }),
        )
    }

    fn under(
        root: Root,
        policy: Arc<Live<SgxPolicy>>,
        collateral: Arc<dyn CollateralSource>,
    ) -> Self {
        Self {
            engine: Engine::new(root, collateral),
            policy,
            media_types: crate::sgx_quote().into_iter().collect(),
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
            let expected = crate::expected(evidence);
            let endorsements = evidence.endorsements();
            Ok(self
                .appraise_quote(evidence.bytes(), endorsements, &expected, now)
                .await?)
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
