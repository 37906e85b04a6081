//! Attesters and verifiers that wait, or fail.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::pki_types::UnixTime;
use tokio::sync::Semaphore;

/// Holds a device or a verifier until it is opened.
#[derive(Clone)]
pub struct Gate {
    entered: Arc<Semaphore>,
    opened: Arc<Semaphore>,
}

impl Gate {
    pub fn new() -> Self {
        Self {
            entered: Arc::new(Semaphore::new(0)),
            opened: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until that many have come to the gate.
    pub async fn reached_by(&self, number: u32) {
        self.entered.acquire_many(number).await.unwrap().forget();
    }

    /// How many have come to the gate since [`reached_by`](Self::reached_by) last counted them.
    pub fn waiting(&self) -> usize {
        self.entered.available_permits()
    }

    /// Lets one through.
    pub fn open_once(&self) {
        self.opened.add_permits(1);
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.opened.add_permits(1000);
    }

    /// Comes to the gate, and waits until it is opened.
    pub async fn pass(&self) {
        self.entered.add_permits(1);
        self.opened.acquire().await.unwrap().forget();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// An attester or verifier behind a gate.
pub struct Gated<T> {
    pub inner: T,
    pub gate: Gate,
}

impl<T: Attester> Attester for Gated<Arc<T>> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            self.gate.pass().await;
            self.inner.attest(request).await
        })
    }
}

impl<T: Verifier> Verifier for Gated<T> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            self.gate.pass().await;
            self.inner.appraise(evidence, now).await
        })
    }
}

/// A device that fails.
pub struct Broken<T>(pub Arc<T>);

impl<T: Attester> Attester for Broken<T> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async { Err(AttestError::Device("it is unplugged".to_owned())) })
    }
}

/// A device whose driver is wrong.
pub struct Panicking<T>(pub Arc<T>);

impl<T: Attester> Attester for Panicking<T> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async { panic!("a panic on purpose, inside of a device") })
    }
}

/// A verifier that cannot be asked.
pub struct Unreachable<T>(pub T);

impl<T: Verifier> Verifier for Unreachable<T> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn appraise<'a>(
        &'a self,
        _: &'a Evidence<'a>,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async { Err(AppraisalError::Unreachable) })
    }
}
