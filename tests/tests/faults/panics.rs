//! Code of the application that panics: it costs its own connection.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::PolicyViolation;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::combine::Cached;
use atls_core::pki_types::UnixTime;
use atls_core::policy::Candidate;
use atls_sim::SimVerifier;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::lenient;
use test_support::Connection;
use test_support::at;

use crate::scene::Scene;
use crate::scene::alive;
use crate::scene::connect;
use crate::scene::party;

/// Panics the first time.
struct Once<T> {
    inner: T,
    panicked: AtomicBool,
}

impl<T> Once<T> {
    fn around(inner: T) -> Self {
        Self {
            inner,
            panicked: AtomicBool::new(false),
        }
    }

    fn panics(&self) {
        assert!(self.panicked.swap(true, Ordering::SeqCst), "on purpose");
    }
}

impl<V: Verifier> Verifier for Once<V> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            self.panics();
            self.inner.appraise(evidence, now).await
        })
    }
}

impl<A: Attester> Attester for Once<Arc<A>> {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        // Not even a future.
        self.panics();
        self.inner.attest(request)
    }
}

#[tokio::test]
async fn a_verifier_that_panics_refuses_one_client_and_counts_as_this_ends_fault() {
    let world = World::new();
    let verifier = SimVerifier::new(world.client_device.trust_anchor());
    // The cache must not keep anybody waiting for the appraisal that panicked.
    let verifier = Cached::new(Once::around(verifier));
    let device = world.client_device.clone();
    one_refused(Scene::of(world, device, Arc::new(verifier)).await).await;
}

#[tokio::test]
async fn a_policy_that_panics_refuses_one_client_and_counts_as_this_ends_fault() {
    let world = World::new();
    let once = Once::around(());
    let policy = move |_: &Candidate| -> Result<(), PolicyViolation> {
        once.panics();
        Ok(())
    };
    let party: RelyingParty = lenient(&world.client_device)
        .policy(policy)
        .build()
        .unwrap();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let device = world.client_device.clone();
    one_refused(Scene::with(world, device, terms.require_peer(Arc::new(party))).await).await;
}

async fn one_refused(scene: Scene) {
    let tasks = alive();
    scene.is_unavailable().await;
    scene.counts(1.0, "refused", "local", "local").await;
    scene.is_left_with(tasks).await;
    scene.accepts().await;
    scene.is_left_with(tasks).await;
}

#[tokio::test]
async fn an_attester_that_panics_declines_one_client_and_counts_as_this_ends_fault() {
    let world = World::new();
    let attester = Once::around(world.server_device.clone());
    let terms = ServerTerms::new().attester(Arc::new(attester));
    let device = world.client_device.clone();
    let scene = Scene::with(world, device, terms).await;
    let tasks = alive();
    let refused = scene.connect().await.unwrap_err();
    assert!(refused.is_peer_unattested(), "{}", refused.report());
    scene.counts(1.0, "failed", "local", "attester").await;
    scene.is_left_with(tasks).await;
    scene.accepts().await;
}

#[tokio::test]
async fn a_clients_verifier_that_panics_is_an_error_of_that_connection() {
    let world = World::new();
    let served = world.serve_attested().await;
    let verifier = SimVerifier::new(world.server_device.trust_anchor());
    let terms = ClientTerms::new().require_peer(party(Arc::new(Once::around(verifier))));
    let client = ClientConnector::new(world.client_tls(&["h2"]), terms).unwrap();
    let refused = connect(&client, served.address).await.unwrap_err();
    assert_eq!((refused.fault(), refused.reason()), (Fault::Local, "local"));
    assert!(connect(&client, served.address).await.is_ok());
}

/// Connections of one batch wait for the appraisal of the first.
#[tokio::test]
async fn who_waits_for_an_appraisal_that_panics_appraises_anew() {
    let world = World::new();
    let verifier = SimVerifier::new(world.client_device.trust_anchor());
    let cached = Arc::new(Cached::new(Once::around(verifier)));
    let connection = Arc::new(Connection::new());
    let token = connection.token(&*world.client_device).await;
    let appraised = || {
        let (cached, connection, token) = (cached.clone(), connection.clone(), token.clone());
        tokio::spawn(async move {
            let evidence = Evidence::new(&cached.media_types()[0], &token, connection.bound());
            cached.appraise(&evidence, at(1_800_000_000)).await
        })
    };
    let (leader, follower) = (appraised(), appraised());
    assert!(leader.await.unwrap_err().is_panic());
    assert!(follower.await.unwrap().is_ok());
    assert_eq!(cached.stats().shared, 1);
}
