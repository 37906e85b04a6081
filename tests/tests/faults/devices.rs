//! Devices that hang, fail now and then, or make nonsense.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::sync::mpsc;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::Refusal;
use atls_core::cmw::Cmw;
use atls_sim::SimAttester;
use atls_tower::Blocking;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use test_support::ready;

use crate::scene::Scene;
use crate::scene::alive;
use crate::scene::connect;
use crate::scene::each;
use crate::scene::pass;

/// Returns when the test says so, after any deadline of this end.
struct Hanging {
    device: Arc<SimAttester>,
    returns: mpsc::Receiver<()>,
    calls: Arc<AtomicUsize>,
}

impl LocalAttester for Hanging {
    fn media_types(&self) -> &[MediaType] {
        Attester::media_types(&*self.device)
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.returns.recv().unwrap();
        ready(Attester::attest(&*self.device, request))
    }
}

#[tokio::test]
async fn a_device_that_hangs_costs_one_thread_and_those_alone_who_want_its_evidence() {
    let world = World::new();
    let (release, returns) = mpsc::channel();
    let calls = Arc::new(AtomicUsize::new(0));
    let device = Blocking::spawn(Hanging {
        device: world.server_device.clone(),
        returns,
        calls: calls.clone(),
    });
    let terms = ServerTerms::new().attester(Arc::new(device.unwrap()));
    let client = world.client_device.clone();
    let scene = Scene::with(world, client, terms).await;
    let tasks = alive();
    let others = ClientTerms::new().dangerous_accept_unattested_servers();
    let others = others.attester(scene.world.client_device.clone());
    let others = ClientConnector::new(scene.world.client_tls(&["h2"]), others).unwrap();
    let hangs = async {
        while calls.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        pass(8).await;
    };
    let (declined, ()) = tokio::join!(scene.connect(), hangs);
    assert!(declined.unwrap_err().is_peer_unattested());
    // Others do not wait for it.
    for _ in 0..19 {
        let declined = scene.connect().await.unwrap_err();
        assert!(declined.is_peer_unattested(), "{}", declined.report());
        assert!(connect(&others, scene.served.address).await.is_ok());
    }
    scene.counts(20.0, "failed", "local", "attester").await;
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    scene.is_left_with(tasks).await;

    for _ in 0..2 {
        release.send(()).unwrap();
    }
    // Its thread takes note that the device returned.
    while scene.connect().await.is_err() {
        tokio::task::yield_now().await;
    }
    scene.is_left_with(tasks).await;
}

/// A device without a deadline of its own, of which one connection at a time has a turn.
#[tokio::test]
async fn a_device_that_never_returns_gives_its_turn_back_at_the_deadline() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new().attester(Arc::new(device)).at_once(1, 1);
    let client = world.client_device.clone();
    let scene = Scene::with(world, client, terms).await;
    let tasks = alive();
    for _ in 0..3 {
        scene.hangs(&gate).await;
        scene.is_left_with(tasks).await;
    }
    scene
        .counts(3.0, "failed", "local", "timeout_attestation")
        .await;
    gate.open();
    scene.accepts().await;
    scene.is_left_with(tasks).await;
}

/// Fails each third time, or answers with something else than Evidence.
struct NowAndThen {
    device: Arc<SimAttester>,
    times: AtomicUsize,
    instead: Option<&'static [u8]>,
}

impl Attester for NowAndThen {
    fn media_types(&self) -> &[MediaType] {
        Attester::media_types(&*self.device)
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let third = (self.times.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(3);
        Box::pin(async move {
            match (third, self.instead) {
                (true, None) => Err(AttestError::Device("it lost its way".to_owned())),
                (true, Some(bytes)) => {
                    let media_type = self.media_types()[0].clone();
                    Ok(Cmw::evidence(media_type, bytes.to_vec()))
                }
                (false, _) => self.device.attest(request).await,
            }
        })
    }
}

async fn with(instead: Option<&'static [u8]>) -> Scene {
    let world = World::new();
    let device = NowAndThen {
        device: world.server_device.clone(),
        times: AtomicUsize::new(0),
        instead,
    };
    let client = world.client_device.clone();
    Scene::with(world, client, ServerTerms::new().attester(Arc::new(device))).await
}

#[tokio::test]
async fn a_device_that_fails_now_and_then_costs_those_connections_alone() {
    let scene = with(None).await;
    let tasks = alive();
    for number in 1..=9 {
        assert_eq!(scene.connect().await.is_ok(), number % 3 != 0, "{number}");
    }
    scene.counts(3.0, "failed", "local", "attester").await;
    scene.is_left_with(tasks).await;
}

#[test]
fn nonsense_of_a_device_is_refused_by_the_other_end() {
    each([&b""[..], b"nonsense", &[0xff; 60_000]], async |nonsense| {
        let scene = with(Some(nonsense)).await;
        let tasks = alive();
        for _ in 0..2 {
            scene.accepts().await;
        }
        let refused = scene.connect().await.unwrap_err();
        let malformed = Refusal::Appraisal(AppraisalError::Malformed);
        assert_eq!(refused.refusal(), Some(&malformed));
        scene.accepts().await;
        scene.is_left_with(tasks).await;
        scene.counts(1.0, "failed", "peer", "refused_by_peer").await;
    });
}
