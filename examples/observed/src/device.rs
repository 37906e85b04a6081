//! A device as slow as real ones, which fails now and then.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::cmw::Cmw;

pub(crate) struct Device<A> {
    inner: A,
    asked: AtomicU64,
}

impl<A> Device<A> {
    pub(crate) fn new(inner: A) -> Self {
        Self {
            inner,
            asked: AtomicU64::new(0),
        }
    }
}

impl<A: Attester> Attester for Device<A> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            tokio::time::sleep(TAKES).await;
            let asked = self.asked.fetch_add(1, Ordering::Relaxed);
            if asked % TIMES == FAILING {
                let why = "it fails now and then, so that there is something to see";
                return Err(AttestError::Device(why.to_owned()));
            }
            self.inner.attest(request).await
        })
    }
}

const TAKES: Duration = Duration::from_millis(50);

/// One time of so many fails: this one.
const TIMES: u64 = 7;
const FAILING: u64 = 6;
