//! The verifier of TDX and SGX.
//!
//! Bytes go in; a result by the policy and with findings comes out, also about a TD or enclave that is not good enough. A
//! [`QuoteError`] is the failure: there is no result.

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
use atls_core::ear::Appraisal;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;
use atls_core::policy::instance::InstanceId;
use atls_formats::dcap::EventLog;
use atls_formats::dcap::Quote;
use atls_formats::dcap::TDX_EVIDENCE;
use atls_formats::dcap::TdxEvidence;
use atls_reference::Live;

use crate::appraiser::Case;
use crate::claims::PlatformClaims;
use crate::collateral::CollateralSource;
use crate::engine::Engine;
use crate::error::QuoteError;
use crate::findings;
use crate::policy::SgxPolicy;
use crate::policy::TdxPolicy;
use crate::root::Root;
use crate::technology::Technology;

/// Appraises TDX quotes of versions 4 and 5 under Intel's root.
// An alias, as both technologies have one verifier and users look for it under these two names.
pub type TdxVerifier = DcapVerifier<TdxPolicy>;

/// Appraises SGX quotes of version 3 under Intel's root.
pub type SgxVerifier = DcapVerifier<SgxPolicy>;

/// Appraises quotes under Intel's root: of TDX with a [`TdxPolicy`], of SGX with an [`SgxPolicy`].
///
/// The policy is read anew for each appraisal, so that a file can be reloaded while running.
pub struct DcapVerifier<P> {
    engine: Engine,
    policy: Arc<Live<P>>,
    media_types: Vec<MediaType>,
}

#[allow(private_bounds, reason = "the technologies are Intel's two")]
impl<P: Technology> DcapVerifier<P> {
    /// Trusts Intel's root, and takes collateral from this source or from the peer.
    pub fn new(policy: Arc<Live<P>>, collateral: Arc<dyn CollateralSource>) -> Self {
        Self::under(Root::intel(), policy, collateral)
    }

    /// Trusts another root, in DER: whoever has its key can forge any platform. Its results say
    /// [`Origin::Simulated`](atls_core::Origin::Simulated), which default policies refuse. For the forged platforms of
    /// the feature `testing`.
    pub fn dangerous_with_root(
        root: Vec<u8>,
        policy: Arc<Live<P>>,
        collateral: Arc<dyn CollateralSource>,
    ) -> Self {
        Self::under(Root::other(root), policy, collateral)
    }

    /// Appraises a recorded quote as [`Verifier::appraise`] does, **but for its binding**: it checks signatures, collateral, TCB and
    /// policy, and compares nothing with `REPORTDATA`. It tries a policy on Evidence out of a file; `now` is then a time at which
    /// the quote and the collateral at hand were valid.
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

    /// As [`appraise_recorded`](Self::appraise_recorded), with collateral that came along and with an error that says more.
    ///
    /// # Errors
    /// [`QuoteError`]: no result. A genuine quote of a TD or enclave that is not good enough is a result, with a status
    /// that says so.
    pub async fn appraise_quote(
        &self,
        quote: &[u8],
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, QuoteError> {
        self.appraise_with(quote, None, endorsements, now).await
    }

    fn under(root: Root, policy: Arc<Live<P>>, collateral: Arc<dyn CollateralSource>) -> Self {
        let media_types = P::MEDIA_TYPES.iter().map(|text| MediaType::parse(text));
        Self {
            engine: Engine::new(root, collateral),
            policy,
            media_types: media_types.flatten().collect(),
        }
    }

    async fn appraise_parts(
        &self,
        parts: &Parts<'_>,
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, QuoteError> {
        let (quote, event_log) = match parts {
            Parts::Quote(quote) => (*quote, None),
            Parts::WithEventLog(both) => (&both.quote[..], Some(&both.event_log[..])),
        };
        self.appraise_with(quote, event_log, endorsements, now)
            .await
    }

    async fn appraise_with(
        &self,
        quote: &[u8],
        event_log: Option<&[u8]>,
        endorsements: &[Item<'_>],
        now: UnixTime,
    ) -> Result<RecordedAppraisal, QuoteError> {
        let (policy, ends) = self.policy.valid_at(now).map_err(QuoteError::Outdated)?;
        let demands = policy.demands();
        let quote = Quote::decode(quote, P::TEE)?;
        let case = Case {
            quote: &quote,
            policy: &demands,
            now,
        };
        let verified = self.engine.appraise(&case, endorsements).await?;
        let platform = verified.platform;
        let report = P::report(&quote.report).ok_or(QuoteError::Malformed("body"))?;
        let events = match (event_log, quote.report.as_td()) {
            (None, _) => Vec::new(),
            (Some(log), Some(td)) => EventLog::open(log)?.replay(&td.rtmr)?,
            (Some(_), None) => return Err(QuoteError::EventLog),
        };
        let checked = policy.check_report(report, &platform, now);
        let mut findings = checked.findings;
        findings.extend(findings::platform(P::NAME, &platform, &demands, now));
        let findings = self.policy.located(&policy, findings);
        let known_as = checked.known_as;
        let appraisal = appraisal(checked.vector, known_as.as_deref(), &platform);
        let verifier = VerifierId::new("atls-tdx", env!("CARGO_PKG_VERSION"));
        let instance = InstanceId::new(P::INSTANCE, platform.ppid.as_ref());
        let ear = Ear::local(verifier, now, P::NAME, appraisal).with_expiry(verified.expires_at);
        let ear = ends.limit(ear);
        let report_data = *quote.report.report_data();
        Ok(
            RecordedAppraisal::new(ear, self.engine.origin(), report_data)
                .with_findings(findings)
                .with_instances(instance)
                .with_image(known_as.as_deref())
                .with_claims(P::claims(report, known_as, platform, events)),
        )
    }

    async fn appraise_evidence(
        &self,
        evidence: &Evidence<'_>,
        now: UnixTime,
    ) -> Result<Appraised, AppraisalError> {
        let parts = Parts::of(evidence.media_type(), evidence.bytes())?;
        let endorsements = evidence.endorsements();
        let recorded = self.appraise_parts(&parts, endorsements, now).await?;
        recorded.bind(&evidence.expected_report_data())
    }
}

impl DcapVerifier<TdxPolicy> {
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
        self.appraise_with(quote, Some(event_log), endorsements, now)
            .await
    }
}

#[allow(private_bounds, reason = "the technologies are Intel's two")]
impl<P: Technology> Verifier for DcapVerifier<P> {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// That of the policy, and that of the collateral's source.
    fn generation(&self) -> u64 {
        let collateral = self.engine.collateral_generation();
        self.policy.generation().wrapping_add(collateral)
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(self.appraise_evidence(evidence, now))
    }
}

/// A quote whose `REPORTDATA` is something else than the value of a connection, such as one that a paravisor requested.
#[allow(private_bounds, reason = "the technologies are Intel's two")]
impl<P: Technology> UnboundVerifier for DcapVerifier<P> {
    fn appraise_unbound<'a>(
        &'a self,
        evidence: &'a UnboundEvidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<RecordedAppraisal, AppraisalError>> {
        Box::pin(async move {
            let parts = Parts::of(evidence.media_type(), evidence.bytes())?;
            let endorsements = evidence.endorsements();
            Ok(self.appraise_parts(&parts, endorsements, now).await?)
        })
    }
}

/// The quote and the event log of one item of Evidence.
enum Parts<'a> {
    Quote(&'a [u8]),
    WithEventLog(TdxEvidence),
}

impl<'a> Parts<'a> {
    fn of(media_type: &MediaType, evidence: &'a [u8]) -> Result<Self, QuoteError> {
        if MediaType::parse(TDX_EVIDENCE).as_ref() == Ok(media_type) {
            Ok(Self::WithEventLog(TdxEvidence::decode(evidence)?))
        } else {
            Ok(Self::Quote(evidence))
        }
    }
}

impl<P: fmt::Debug> fmt::Debug for DcapVerifier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DcapVerifier")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The result about software that the policy knows by this name, or does not know. It has Intel's rating of the platform beside
/// the claims that follow from it, and nothing that identifies the platform.
fn appraisal(vector: TrustVector, known_as: Option<&str>, platform: &PlatformClaims) -> Appraisal {
    let appraisal = Appraisal::new(vector);
    let appraisal = match known_as {
        Some(_) => appraisal,
        // 33 alone would be a warning, and a policy that accepts warnings because of old firmware must not accept any software.
        None => appraisal.with_status(Tier::Contraindicated),
    };
    let Some(status) = platform.tcb_status else {
        return appraisal;
    };
    appraisal
        .with_extension("atls.tcb-status", status.to_string().into())
        .with_extension("atls.tcb-advisories", platform.advisories.clone().into())
}
