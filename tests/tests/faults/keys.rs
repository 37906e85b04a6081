//! Keys of a service: others than expected, rotated, garbled; and results of another time.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::ear::Algorithm;
use atls_core::ear::KeySource;
use atls_remote::Jwks;
use axum::Router;
use axum::routing::get;
use end_to_end::World;
use rustls::time_provider::TimeProvider;
use serde_json::Value;
use stand_in::Loopback;
use stand_in::Signer;

use crate::scene::Scene;
use crate::services::ALL;
use crate::services::Service;

/// A service whose claims, signer and set of keys a test changes.
pub(crate) struct Signing {
    signer: Arc<Mutex<Arc<Signer>>>,
    set: Arc<Mutex<String>>,
    /// Added to the times of its results.
    ahead: Arc<Mutex<u64>>,
    pub(crate) genuine: Arc<Signer>,
    pub(crate) scene: Scene,
    /// How often its keys were fetched.
    pub(crate) fetches: Arc<AtomicUsize>,
    _stand_in: Loopback,
}

impl Signing {
    /// Its keys are those of the set that it publishes.
    async fn publishing() -> Self {
        Self::with(Service::Trustee, |stand_in, _| {
            Arc::new(published(stand_in))
        })
        .await
    }

    /// The same, with the source of the keys.
    pub(crate) async fn published() -> (Self, Arc<Jwks>) {
        let mut given = None;
        let signing = Self::with(Service::Trustee, |stand_in, _| {
            let keys = Arc::new(published(stand_in));
            given = Some(keys.clone());
            keys
        });
        (signing.await, given.unwrap())
    }

    /// Its keys are pinned.
    async fn pinned(service: Service) -> Self {
        Self::with(service, |_, signer| Arc::new(signer.keys())).await
    }

    async fn with(
        service: Service,
        keys: impl FnOnce(&Loopback, &Signer) -> Arc<dyn KeySource>,
    ) -> Self {
        let world = World::new();
        let genuine = Arc::new(service.signer());
        let signer = Arc::new(Mutex::new(genuine.clone()));
        let set = Arc::new(Mutex::new(genuine.jwk_set().to_string()));
        let ahead = Arc::new(Mutex::new(0));
        let (signing, published, early) = (signer.clone(), set.clone(), ahead.clone());
        let clock = world.clock.clone();
        let now = move || clock.current_time().unwrap().as_secs() + *early.lock().unwrap();
        let sign = move |claims: &Value| signing.lock().unwrap().token(claims);
        let fetches = Arc::new(AtomicUsize::new(0));
        let fetched = fetches.clone();
        let publish = async move || {
            fetched.fetch_add(1, Ordering::Relaxed);
            published.lock().unwrap().clone()
        };
        let app: Router = service.stand_in(sign, now).route("/keys", get(publish));
        let stand_in = Loopback::serve(app).await;
        let keys = keys(&stand_in, &genuine);
        let verifier = service.verifier(stand_in.address(), Loopback::client(), keys);
        let device = service.device(&world);
        Self {
            scene: Scene::of(world, device, verifier).await,
            signer,
            set,
            ahead,
            genuine,
            fetches,
            _stand_in: stand_in,
        }
    }

    pub(crate) fn signs_with(&self, signer: &Arc<Signer>) {
        *self.signer.lock().unwrap() = signer.clone();
    }

    pub(crate) fn publishes(&self, set: &impl ToString) {
        *self.set.lock().unwrap() = set.to_string();
    }

    async fn refused(&self, times: f64, reason: &str) {
        self.scene
            .counts(times, "refused", "verifier", reason)
            .await;
    }

    fn appraisals(&self, outcome: &str) -> f64 {
        let outcome = format!("outcome=\"{outcome}\"");
        let name = "atls_verifier_appraisals_total";
        self.scene.numbers.value(name, &[&outcome])
    }

    /// For the clock of the world, by which keys age.
    fn pass(&self, seconds: u64) {
        self.scene.world.clock.advance(Duration::from_secs(seconds));
    }
}

fn published(stand_in: &Loopback) -> Jwks {
    let url = stand_in.endpoint().join("/keys").unwrap();
    Jwks::new(Loopback::client(), url, &[Algorithm::Es256])
}

#[tokio::test]
async fn a_result_under_another_key_is_refused_and_the_next_one_under_the_right_key_is_accepted() {
    for service in ALL {
        let signing = Signing::pinned(service).await;
        signing.signs_with(&Arc::new(service.signer()));
        signing.scene.is_unavailable().await;
        assert_eq!(signing.appraisals("result_signature"), 1.0);
        signing.refused(1.0, "bad_result").await;
        signing.signs_with(&signing.genuine.clone());
        signing.scene.accepts().await;
    }
}

#[tokio::test]
async fn a_service_that_changes_its_key_is_believed_at_once_and_again_after_a_minute() {
    let signing = Signing::publishing().await;
    signing.scene.accepts().await;
    signing.pass(60);
    let next = Arc::new(Signer::es256());
    signing.signs_with(&next);
    signing.publishes(&next.jwk_set());
    signing.scene.accepts().await;
    // A stranger's key must not have the set fetched for each connection.
    let third = Arc::new(Signer::es256());
    signing.signs_with(&third);
    signing.publishes(&third.jwk_set());
    signing.scene.is_unavailable().await;
    signing.pass(60);
    signing.scene.accepts().await;
    // The first key is withdrawn.
    signing.signs_with(&signing.genuine.clone());
    signing.scene.is_unavailable().await;
}

#[tokio::test]
async fn garbage_in_the_place_of_keys_refuses_until_there_are_keys() {
    for garbage in [
        "",
        "{",
        "<html>",
        "{\"keys\":[]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}",
    ] {
        let signing = Signing::publishing().await;
        signing.publishes(&garbage);
        signing.scene.is_unavailable().await;
        assert_eq!(signing.appraisals("keys"), 1.0);
        signing.refused(1.0, "unreachable").await;
        signing.publishes(&signing.genuine.jwk_set());
        signing.pass(5);
        signing.scene.accepts().await;
    }
}

/// Good keys outlive garbage in their place.
#[tokio::test]
async fn garbage_takes_no_good_keys_away_before_their_hour_is_over() {
    let signing = Signing::publishing().await;
    signing.scene.accepts().await;
    signing.publishes(&"{");
    for seconds in [1800, 1799] {
        signing.pass(seconds);
        signing.scene.accepts().await;
    }
    signing.pass(1);
    signing.scene.is_unavailable().await;
}

#[tokio::test]
async fn a_result_of_the_future_is_refused_and_one_within_the_skew_is_accepted() {
    for service in ALL {
        let signing = Signing::pinned(service).await;
        for (ahead, refused) in [(0, 0.0), (60, 0.0), (61, 1.0), (86_400, 2.0), (0, 2.0)] {
            *signing.ahead.lock().unwrap() = ahead;
            let connected = signing.scene.connect().await;
            signing.refused(refused, "result_expired").await;
            assert_eq!(connected.is_ok(), ahead <= 60, "{service:?} {ahead}");
        }
    }
}
