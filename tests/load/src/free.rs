//! An attester and a verifier that cost nothing: Evidence is the bound itself.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;

pub(crate) struct Free {
    media_types: Vec<MediaType>,
}

impl Free {
    pub(crate) fn new() -> Self {
        Self {
            media_types: MediaType::parse("application/x-free").into_iter().collect(),
        }
    }
}

impl Attester for Free {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let media_type = self.media_types.first().ok_or(AttestError::Busy)?;
            Ok(Cmw::evidence(
                media_type.clone(),
                request.bound().as_bytes().to_vec(),
            ))
        })
    }
}

impl Verifier for Free {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let matched = evidence.bound().verbatim().compare(evidence.bytes())?;
            let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
            let ear = Ear::local(
                VerifierId::new("free", "1"),
                now,
                "free",
                Appraisal::new(vector),
            );
            // The standard policy accepts it: what is measured is the straight line.
            Ok(Appraised::bound_to_connection(ear, Origin::Device, matched))
        })
    }
}
