//! A verifier that says something of its own.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::Verifier;
use atls_core::ear::Ear;
use atls_core::pki_types::UnixTime;
use atls_formats::psa;
use atls_sim::SimVerifier;

/// Appraises as the simulator's verifier does, and says this of its result.
pub(crate) struct Saying<F> {
    pub(crate) verifier: SimVerifier,
    pub(crate) origin: Origin,
    pub(crate) says: F,
}

impl<F: Fn(&Ear) -> Ear + Send + Sync> Verifier for Saying<F> {
    fn media_types(&self) -> &[MediaType] {
        self.verifier.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let recorded = self.verifier.appraise_recorded(evidence.bytes(), now);
            let recorded = recorded.await?;
            let ear = (self.says)(recorded.ear());
            RecordedAppraisal::new(ear, self.origin, recorded.challenge())
                .bind(&psa::eat_nonce(evidence.bound()))
        })
    }
}
