//! Services that cannot be connected to, and others in their place.

use std::sync::Arc;

use atls_core::combine::Failover;
use atls_remote::Endpoint;
use atls_remote::ReqwestClient;
use atls_remote::Resilient;
use end_to_end::World;
use stand_in::Loopback;
use tokio::sync::Notify;

use crate::front::Fault;
use crate::front::Front;
use crate::outages::genuine;
use crate::outages::http_client;
use crate::scene::Scene;
use crate::scene::alive;
use crate::scene::each;
use crate::scene::pass;
use crate::services::Service;

#[tokio::test]
async fn a_tls_handshake_that_stalls_is_given_up() {
    let world = World::new();
    let (stand_in, keys) = genuine(Service::Trustee, &world).await;
    let front = Front::of(stand_in.address()).await;
    front.set(Fault::Silent);
    let endpoint = Endpoint::https(&format!("https://{}", front.address)).unwrap();
    let verifier = Service::Trustee.verifier_at(&endpoint, Loopback::client(), keys);
    let device = Service::Trustee.device(&world);
    let scene = Scene::of(world, device, verifier).await;
    let tasks = alive();
    let meanwhile = async {
        front.hangs().await;
        pass(6).await;
    };
    is_unreachable_after(&scene, meanwhile, tasks).await;
    assert_eq!((front.accepted(), front.open()), (1, 0));
}

#[test]
fn a_name_that_is_not_or_never_resolved_is_given_up() {
    each([Answer::None, Answer::Unknown], async |answer| {
        let world = World::new();
        let (_stand_in, keys) = genuine(Service::Trustee, &world).await;
        let asked = Arc::new(Notify::new());
        let names = Names {
            answer,
            asked: asked.clone(),
        };
        let client = ReqwestClient::build(http_client().dns_resolver(Arc::new(names))).unwrap();
        let endpoint = Endpoint::https("https://service.example").unwrap();
        let verifier = Service::Trustee.verifier_at(&endpoint, Arc::new(client), keys);
        let device = Service::Trustee.device(&world);
        let scene = Scene::of(world, device, verifier).await;
        let tasks = alive();
        let meanwhile = async {
            asked.notified().await;
            pass(6).await;
        };
        is_unreachable_after(&scene, meanwhile, tasks).await;
    });
}

#[tokio::test]
async fn another_service_takes_over_from_one_that_hangs_and_gives_back() {
    let world = World::new();
    let (first, first_keys) = genuine(Service::Trustee, &world).await;
    let (second, second_keys) = genuine(Service::Trustee, &world).await;
    let (front, behind) = (
        Front::of(first.address()).await,
        Front::of(second.address()).await,
    );
    let client = || Arc::new(Resilient::new("trustee", Loopback::client()));
    let verifiers = vec![
        Service::Trustee.verifier(front.address, client(), first_keys),
        Service::Trustee.verifier(behind.address, client(), second_keys),
    ];
    let device = Service::Trustee.device(&world);
    let verifier = Arc::new(Failover::new(verifiers).unwrap());
    let scene = Scene::of(world, device, verifier).await;
    scene.accepts().await;
    assert_eq!(behind.accepted(), 0);
    front.set(Fault::Silent);
    for _ in 0..5 {
        let meanwhile = async {
            front.hangs().await;
            pass(8).await;
        };
        scene.accepts_after(meanwhile).await;
    }
    scene.accepts().await;
    // The sixth was not held up: the circuit to the first was open.
    assert_eq!(front.accepted(), 6);
    front.set(Fault::Passes);
    behind.set(Fault::Closes);
    pass(5).await;
    scene.accepts().await;
}

/// A resolver that knows no name.
struct Names {
    answer: Answer,
    asked: Arc<Notify>,
}

#[derive(Clone, Copy)]
enum Answer {
    None,
    Unknown,
}

impl reqwest::dns::Resolve for Names {
    fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
        self.asked.notify_one();
        match self.answer {
            Answer::None => Box::pin(std::future::pending()),
            Answer::Unknown => Box::pin(async { Err("no such name".into()) }),
        }
    }
}

/// A client is refused, by fault of the verifier, and nothing is left behind.
async fn is_unreachable_after(scene: &Scene, meanwhile: impl Future<Output = ()>, tasks: usize) {
    scene.is_unavailable_after(meanwhile).await;
    scene
        .counts(1.0, "refused", "verifier", "unreachable")
        .await;
    let appraisals = scene.numbers.value(
        "atls_verifier_appraisals_total",
        &[r#"outcome="unreachable""#],
    );
    assert_eq!(appraisals, 1.0);
    scene.is_left_with(tasks).await;
}
