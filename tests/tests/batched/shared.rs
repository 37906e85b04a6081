//! Evidence that many connections share.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use atls_core::pki_types::UnixTime;
use atls_sim::SimVerifier;
use atls_tower::Batcher;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::PassportOffice;
use end_to_end::World;
use end_to_end::time::settle;
use rustls::time_provider::TimeProvider;
use tokio::sync::watch;

use crate::devices::GatedBatcher;
use crate::devices::PATIENT;
use crate::devices::about_servers;
use crate::devices::connecting;
use crate::devices::connector;
use crate::devices::status;

/// The device takes as long as ten more connections take to come. Without batches all of them would wait for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_are_attested_by_a_slow_device_each_over_its_own_binder() {
    const CONNECTIONS: usize = 1000;
    let world = World::new();
    let (binders, come) = watch::channel(HashSet::new());
    let device = Arc::new(Slow {
        inner: world.server_device.clone(),
        busy: tokio::sync::Mutex::new(come),
        most: CONNECTIONS,
        asked: AtomicUsize::new(0),
    });
    let batcher = Batcher::builder(device.clone()).device_deadline(PATIENT);
    let batcher = batcher.spawn().unwrap();
    let recorder = Arc::new(Recorder {
        inner: batcher.clone(),
        binders,
    });
    let terms = ServerTerms::new().attester(recorder.clone());
    let server = world
        .serve(terms.at_once(CONNECTIONS, 1).deadline(PATIENT))
        .await;
    let (verifier, appraised) = counted(about_servers(&world));
    let client = connector(&world, accepting(Cached::new(verifier)));
    let attempts: Vec<_> = (0..CONNECTIONS)
        .map(|_| connecting(&client, server.address))
        .collect();
    for attempt in attempts {
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    assert_eq!(recorder.binders.borrow().len(), CONNECTIONS);
    let stats = batcher.stats();
    let asked = device.asked.load(Ordering::Relaxed);
    assert_eq!(stats.connections, u64::try_from(CONNECTIONS).unwrap());
    assert_eq!((stats.failed, stats.refused, stats.abandoned), (0, 0, 0));
    assert_eq!(stats.batches + stats.singles, u64::try_from(asked).unwrap());
    // However fast or busy the machine that runs this is: connections came while the device worked.
    assert!(asked < CONNECTIONS / 5, "{asked}");
    assert_eq!(appraised.load(Ordering::Relaxed), asked);
}

#[tokio::test]
async fn clients_share_evidence_too_and_both_ends_may() {
    let world = World::new();
    let (ours, theirs) = (
        GatedBatcher::new(&world.client_device),
        GatedBatcher::new(&world.server_device),
    );
    theirs.gate.open();
    let (verifier, appraised) = counted(SimVerifier::new(world.client_device.trust_anchor()));
    let server = world
        .serve(
            ServerTerms::new()
                .attester(theirs.attester())
                .require_peer(accepting(Cached::new(verifier)))
                .deadline(PATIENT),
        )
        .await;
    let terms = ClientTerms::new()
        .require_peer(world.about_servers())
        .attester(ours.attester())
        .deadline(PATIENT);
    let client = ClientConnector::new(world.client_tls(&["http/1.1"]), terms).unwrap();
    let attempts = ours.all_at_once(&client, server.address, 12).await;
    for attempt in attempts {
        // A client that attested has waited for the server's verdict.
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    let stats = ours.batcher.stats();
    assert_eq!((stats.singles, stats.batches, stats.largest), (1, 1, 11));
    assert_eq!(appraised.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_passport_over_the_root_serves_a_batch() {
    let world = World::new();
    let office = Arc::new(PassportOffice::new());
    let holder = PassportHolder {
        media_types: [office
            .issue(b"", world.clock.current_time().unwrap())
            .items()[0]
            .media_type()
            .unwrap()],
        office: office.clone(),
        now: world.clock.current_time().unwrap(),
    };
    let held = GatedBatcher::new(&Arc::new(holder));
    let server = held.serve(&world).await;
    let (verifier, appraised) = counted(office.verifier());
    let client = connector(&world, accepting(Cached::new(verifier)));
    for attempt in held.all_at_once(&client, server.address, 9).await {
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    assert_eq!(appraised.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn connections_that_come_together_wait_for_one_appraisal() {
    let world = World::new();
    let held = GatedBatcher::new(&world.server_device);
    let server = held.serve(&world).await;
    let gate = Gate::new();
    let slow = Gated {
        inner: about_servers(&world),
        gate: gate.clone(),
    };
    let (verifier, appraised) = counted(slow);
    let client = connector(&world, accepting(Cached::new(verifier)));
    let attempts = held.all_at_once(&client, server.address, 30).await;
    // One for the connection that was alone, one for the batch.
    gate.reached_by(2).await;
    held.answered(30).await;
    settle().await;
    gate.open();
    for attempt in attempts {
        assert_eq!(status(&attempt.await.unwrap()), Tier::Affirming);
    }
    assert_eq!(appraised.load(Ordering::Relaxed), 2);
}

/// Works for one request at a time, until [`EACH`] more connections have come for each request so far, or all.
struct Slow<A> {
    inner: Arc<A>,
    busy: tokio::sync::Mutex<watch::Receiver<HashSet<Vec<u8>>>>,
    most: usize,
    asked: AtomicUsize,
}

const EACH: usize = 10;

impl<A: Attester> Attester for Slow<A> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let mut come = self.busy.lock().await;
            let turn = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            let wanted = self.most.min(turn * EACH);
            let enough = come.wait_for(|come| come.len() >= wanted).await;
            drop(enough.unwrap());
            self.inner.attest(request).await
        })
    }
}

/// Takes note of what connections ask for.
struct Recorder {
    inner: Batcher,
    binders: watch::Sender<HashSet<Vec<u8>>>,
}

impl Attester for Recorder {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let binder = request.bound().as_bytes().to_vec();
        self.binders.send_modify(|binders| {
            binders.insert(binder);
        });
        self.inner.attest(request)
    }
}

/// Brings a result of an office about the value that it is asked for.
struct PassportHolder {
    media_types: [MediaType; 1],
    office: Arc<PassportOffice>,
    now: UnixTime,
}

impl Attester for PassportHolder {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let passport = self.office.issue(request.bound().as_bytes(), self.now);
        Box::pin(std::future::ready(Ok(passport)))
    }
}

fn accepting(verifier: impl Verifier + 'static) -> Arc<RelyingParty> {
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    Arc::new(party.build().unwrap())
}

/// A verifier, and how often it was asked.
struct Counted<V> {
    inner: V,
    asked: Arc<AtomicUsize>,
}

fn counted<V>(inner: V) -> (Counted<V>, Arc<AtomicUsize>) {
    let asked = Arc::<AtomicUsize>::default();
    let counted = Counted {
        inner,
        asked: asked.clone(),
    };
    (counted, asked)
}

impl<V: Verifier> Verifier for Counted<V> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn conceptual_message(&self) -> atls_core::ConceptualMessage {
        self.inner.conceptual_message()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.inner.appraise(evidence, now)
    }
}
