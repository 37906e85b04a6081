//! A device as an attester.

use std::sync::Arc;
use std::sync::Mutex;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;

/// A forged device answers at once, so it needs no thread.
pub(crate) fn device(attester: impl LocalAttester + 'static) -> Arc<dyn Attester> {
    Arc::new(Device {
        media_types: attester.media_types().to_vec(),
        attester: Mutex::new(attester),
    })
}

struct Device<A> {
    media_types: Vec<MediaType>,
    attester: Mutex<A>,
}

impl<A: LocalAttester> Attester for Device<A> {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let answer = self.attester.lock().unwrap().attest(request);
        Box::pin(async { answer })
    }
}
