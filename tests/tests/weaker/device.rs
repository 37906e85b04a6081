//! A client's device that hangs in the middle of the handshake.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Binding;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_sim::SimAttester;
use atls_tower::ServerTerms;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::Mode;
use end_to_end::World;
use end_to_end::weak;
use rustls::client::ResolvesClientCert;

use crate::support::accept_one;
use crate::support::asking_tls;
use crate::support::attesting_plainly;

/// Waits for a word before each answer.
struct Waiting {
    device: SimAttester,
    word: mpsc::Receiver<()>,
}

impl LocalAttester for Waiting {
    fn media_types(&self) -> &[MediaType] {
        LocalAttester::media_types(&self.device)
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        self.word.recv().unwrap();
        LocalAttester::attest(&mut self.device, request)
    }
}

#[tokio::test]
async fn a_device_that_hangs_costs_handshakes_their_deadline_and_then_nothing() {
    let world = World::new();
    let device = SimAttester::generate().unwrap();
    let terms = ServerTerms::new()
        .clients_attest(Mode::InHandshake)
        .require_peer(weak(&device, Binding::Handshake));
    let (speak, word) = mpsc::channel();
    let device = Box::new(Waiting { device, word });
    let identity = InHandshake::new(device, demo::provider(), world.clock.clone()).unwrap();
    let resolver: Arc<dyn ResolvesClientCert> =
        Arc::new(identity.with_deadline(Duration::from_millis(20)));
    // More than wait for the device at once.
    for _ in 0..8 {
        let refused = accept_one(&world, terms.clone(), Some(resolver.clone())).await;
        assert!(refused.unwrap_err().is_peer_unattested());
    }
    // It returns, skips those that gave up, and serves again.
    let server = world.serve_with(terms, asking_tls(&world)).await;
    let client = attesting_plainly(&world, Some(resolver));
    for _ in 0..1000 {
        speak.send(()).unwrap();
    }
    while client.get(server.url("/")).send().await.is_err() {}
}
