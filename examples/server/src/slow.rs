//! A device that takes its time, and what makes up for it.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_sim::SimAttester;
use atls_tower::Batcher;
use atls_tower::Blocking;

/// Connections that come while the device works share what it makes next.
pub(crate) fn batched(device: SimAttester) -> io::Result<Arc<dyn Attester>> {
    let device = Blocking::spawn(SlowDevice(device))?;
    Ok(Arc::new(Batcher::builder(device).spawn()?))
}

/// As slow as a TPM.
struct SlowDevice(SimAttester);

impl LocalAttester for SlowDevice {
    fn media_types(&self) -> &[MediaType] {
        LocalAttester::media_types(&self.0)
    }

    fn names_leaf_key(&self) -> bool {
        LocalAttester::names_leaf_key(&self.0)
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        thread::sleep(Duration::from_millis(300));
        LocalAttester::attest(&mut self.0, request)
    }
}
