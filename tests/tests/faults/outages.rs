//! Verification services that are down, hang, or answer nonsense, for each of the services.

use std::sync::Arc;

use atls_core::ear::VerificationKeys;
use atls_core::http::HttpClient;
use atls_remote::ReqwestClient;
use atls_remote::Resilient;
use axum::Router;
use end_to_end::World;
use rustls::time_provider::TimeProvider;
use stand_in::Loopback;

use crate::front::Fault;
use crate::front::Front;
use crate::scene::Scene;
use crate::scene::alive;
use crate::scene::each;
use crate::scene::pass;
use crate::services::ALL;
use crate::services::Service;

/// A service behind a front, and a server that asks it.
struct Outage {
    service: Service,
    front: Front,
    scene: Scene,
    _stand_in: Loopback,
}

impl Outage {
    async fn of(service: Service) -> Self {
        Self::over(service, Loopback::client(), Loopback::serve).await
    }

    async fn over(
        service: Service,
        client: Arc<dyn HttpClient>,
        serve: impl AsyncFnOnce(Router) -> Loopback,
    ) -> Self {
        let world = World::new();
        let (app, keys) = stand_in(service, &world);
        let stand_in = serve(app).await;
        let front = Front::of(stand_in.address()).await;
        let client = Arc::new(Resilient::new(service.name(), client));
        let verifier = service.verifier(front.address, client, keys);
        let device = service.device(&world);
        Self {
            service,
            front,
            scene: Scene::of(world, device, verifier).await,
            _stand_in: stand_in,
        }
    }

    /// The tasks that stay: after a first request, one of the HTTP client's.
    async fn settled(&self) -> usize {
        self.scene.accepts().await;
        // A session is deleted by a task of its own.
        let answered = [r#"outcome="answered""#];
        let name = "atls_service_requests_total";
        while self.scene.numbers.value(name, &answered) < self.service.requests() {
            tokio::task::yield_now().await;
        }
        self.front.set(Fault::Passes);
        while self.front.open() > 0 {
            tokio::task::yield_now().await;
        }
        pass(1).await;
        alive()
    }

    /// One client is refused.
    async fn fails_by(&self, fault: Fault) {
        self.front.set(fault);
        let meanwhile = async {
            if fault.hangs() {
                self.times_out().await;
            }
        };
        self.scene.is_unavailable_after(meanwhile).await;
    }

    /// The service hangs for as long as this end waits.
    async fn times_out(&self) {
        self.front.hangs().await;
        pass(8).await;
    }

    fn appraisals(&self, outcome: &str) -> f64 {
        let outcome = format!("outcome=\"{outcome}\"");
        let name = "atls_verifier_appraisals_total";
        self.scene.numbers.value(name, &[&outcome])
    }

    fn circuit(&self) -> f64 {
        self.scene.numbers.value("atls_service_circuit_open", &[])
    }
}

/// A stand-in that works, and its keys.
pub(crate) async fn genuine(service: Service, world: &World) -> (Loopback, Arc<VerificationKeys>) {
    let (app, keys) = stand_in(service, world);
    (Loopback::serve(app).await, keys)
}

fn stand_in(service: Service, world: &World) -> (Router, Arc<VerificationKeys>) {
    let signer = Arc::new(service.signer());
    let keys = Arc::new(signer.keys());
    let clock = world.clock.clone();
    let now = move || clock.current_time().unwrap().as_secs();
    (
        service.stand_in(move |claims| signer.token(claims), now),
        keys,
    )
}

/// Each fault, the word for it at the verifier, and the reason of the connection.
fn faults() -> Vec<(Fault, &'static str, &'static str)> {
    let status = |code| Fault::Answers(code, "", "");
    vec![
        (Fault::Closes, "unreachable", "unreachable"),
        (Fault::Cuts, "unreachable", "unreachable"),
        (Fault::Drips, "timed_out", "unreachable"),
        (Fault::Endless, "too_large", "bad_result"),
        (Fault::Garbage, "unreachable", "unreachable"),
        (Fault::HeadAlone, "timed_out", "unreachable"),
        (Fault::Silent, "timed_out", "unreachable"),
        (status(302), "status", "unreachable"),
        (status(429), "status", "unreachable"),
        (status(502), "status", "unreachable"),
        (status(503), "status", "unreachable"),
        (status(504), "status", "unreachable"),
    ]
}

#[test]
fn a_service_that_fails_in_any_way_refuses_and_the_next_client_after_it_is_accepted() {
    each(ALL, async |service| {
        let outage = Outage::of(service).await;
        let tasks = outage.settled().await;
        for (fault, word, reason) in faults() {
            let appraised = outage.appraisals(word);
            let refused = outage.scene.count("refused", "verifier", reason);
            outage.fails_by(fault).await;
            assert_eq!(outage.appraisals(word), appraised + 1.0, "{word}");
            let counted = outage
                .scene
                .counts(refused + 1.0, "refused", "verifier", reason);
            counted.await;
            outage.scene.is_left_with(tasks).await;
            assert_eq!(outage.front.open(), 0, "sockets");

            outage.front.set(Fault::Passes);
            outage.scene.accepts().await;
        }
        assert_eq!(outage.circuit(), 0.0);
    });
}

#[test]
fn an_answer_that_is_nonsense_is_the_services_fault() {
    const JSON: &str = "content-type: application/json\r\n";
    each(ALL, async |service| {
        let outage = Outage::of(service).await;
        let tasks = outage.settled().await;
        for body in [
            "",
            "{",
            "null",
            "{\"token\":7}",
            "{\"token\":\"a.b.c\"}",
            "a.b.c",
        ] {
            let said = match service {
                // It would have made a session with another status.
                Service::Veraison => ["refused", "verifier", "unreachable"],
                _ => ["refused", "verifier", "bad_result"],
            };
            let refused = outage.scene.count(said[0], said[1], said[2]);
            outage.front.set(Fault::Answers(200, JSON, body));
            outage.scene.is_unavailable().await;
            let scene = &outage.scene;
            scene.counts(refused + 1.0, said[0], said[1], said[2]).await;
            outage.front.set(Fault::Passes);
            outage.scene.accepts().await;
        }
        outage.front.set(Fault::Passes);
        outage.scene.is_left_with(tasks).await;
    });
}

#[test]
fn a_service_that_hangs_is_left_alone_and_taken_back_by_itself() {
    each(ALL, async |service| {
        let outage = Outage::of(service).await;
        let tasks = outage.settled().await;
        for _ in 0..5 {
            outage.fails_by(Fault::Silent).await;
        }
        assert_eq!(outage.circuit(), 1.0);
        let asked = outage.front.accepted();
        outage.scene.is_unavailable().await;
        assert_eq!(outage.appraisals("not_sent"), 1.0);
        assert_eq!(outage.front.accepted(), asked);

        outage.front.set(Fault::Passes);
        pass(5).await;
        outage.scene.accepts().await;
        assert_eq!(outage.circuit(), 0.0);
        outage.front.set(Fault::Passes);
        outage.scene.is_left_with(tasks).await;
    });
}

#[tokio::test]
async fn a_service_that_says_when_to_come_again_is_left_alone_until_then() {
    let outage = Outage::of(Service::Trustee).await;
    outage
        .front
        .set(Fault::Answers(429, "retry-after: 30\r\n", ""));
    for _ in 0..5 {
        outage.scene.is_unavailable().await;
    }
    outage.front.set(Fault::Passes);
    pass(29).await;
    outage.scene.is_unavailable().await;
    assert_eq!(outage.appraisals("not_sent"), 1.0);
    pass(1).await;
    outage.scene.accepts().await;
}

/// All requests share the connection, and nothing closes it.
#[tokio::test]
async fn an_http_2_connection_that_went_dead_costs_one_request() {
    let client = ReqwestClient::dangerous_loopback(http_client().http2_prior_knowledge());
    let client = Arc::new(client.unwrap());
    let outage = Outage::over(Service::Trustee, client, Loopback::serve_http2).await;
    outage.scene.accepts().await;
    outage.scene.accepts().await;
    assert_eq!(outage.front.accepted(), 1);
    outage.front.freeze();
    let meanwhile = async {
        outage.front.hangs().await;
        pass(7).await;
    };
    outage.scene.is_unavailable_after(meanwhile).await;
    let scene = &outage.scene;
    scene
        .counts(1.0, "refused", "verifier", "unreachable")
        .await;
    assert_eq!(outage.appraisals("unreachable"), 1.0);
    outage.scene.accepts().await;
    assert_eq!(outage.front.accepted(), 2);
}

pub(crate) fn http_client() -> reqwest::ClientBuilder {
    let tls = rustls::ClientConfig::builder_with_provider(demo::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls)
}
