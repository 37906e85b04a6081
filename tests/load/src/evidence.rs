//! Evidence that costs nothing to make or to appraise: the value of the connection, and zeros up to a size.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::BoxFuture;
use atls_core::ConfigError;
use atls_core::Evidence;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::Cached;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;

use crate::service::Batches;
use crate::service::Device;
use crate::service::Service;

/// An attester and a verifier whose work is none.
pub(crate) struct Free {
    media_types: Vec<MediaType>,
    size: usize,
}

impl Free {
    /// `size` is that of the Evidence in bytes, and at least that of the value that it carries.
    pub(crate) fn new(size: usize) -> Self {
        Self {
            media_types: MediaType::parse("application/x-free").into_iter().collect(),
            size,
        }
    }

    fn evidence(&self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let media_type = self.media_types.first().ok_or(AttestError::Busy)?;
        let value = request.bound().as_bytes();
        let mut evidence = Vec::with_capacity(self.size.max(value.len()));
        evidence.extend_from_slice(value);
        evidence.resize(evidence.capacity(), 0);
        Ok(Cmw::evidence(media_type.clone(), evidence))
    }
}

impl Attester for Free {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move { self.evidence(request) })
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
            let expected = evidence.bound().verbatim();
            let carried = evidence.bytes().get(..expected.bytes().len());
            let matched = expected.compare(carried.unwrap_or_default())?;
            let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
            let ear = Ear::local(
                VerifierId::new("free", "1"),
                now,
                "free",
                Appraisal::new(vector),
            );
            // The standard policy accepts it: the straight line is measured.
            Ok(Appraised::bound_to_connection(ear, Origin::Device, matched))
        })
    }
}

/// Accepts such Evidence, in all three modes; that of a batch by the cache, as is advised.
pub(crate) fn relying_party(service: &Service) -> Result<Arc<RelyingParty>, ConfigError> {
    let policy = StandardPolicy::new().dangerous_accept_binding(Binding::Key);
    let free = Free::new(service.evidence);
    let verifier: Arc<dyn Verifier> = match service.device {
        Device::Serial(_, Batches::Yes) => Arc::new(Cached::new(free)),
        Device::Free | Device::Serial(_, Batches::No) => Arc::new(free),
    };
    let party = RelyingParty::builder()
        .verifier(verifier)
        .standard_policy(policy)
        .build()?;
    Ok(Arc::new(party))
}

/// A device that serves one request at a time: it waits, without processor time, and then gives the same Evidence.
pub(crate) struct Serial {
    free: Free,
    wait: Duration,
}

impl Serial {
    pub(crate) fn new(size: usize, wait: Duration) -> Self {
        Self {
            free: Free::new(size),
            wait,
        }
    }
}

impl LocalAttester for Serial {
    fn media_types(&self) -> &[MediaType] {
        &self.free.media_types
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        thread::sleep(self.wait);
        self.free.evidence(request)
    }
}
