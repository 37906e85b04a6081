//! Requests that wait on their way to their handler, as in a queue, and whose client's attestation ends meanwhile.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adversary::Link;
use atls_axum::AttestationResult;
use atls_tower::RequireAttestationLayer;
use atls_tower::ServerTerms;
use axum::Router;
use axum::extract::Request;
use axum::extract::State;
use axum::middleware::Next;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::get;
use end_to_end::Gate;
use end_to_end::World;
use end_to_end::http2;

use crate::hostile::attested_client;
use crate::support::MINUTE;
use crate::support::about_clients;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::mutual;
use crate::support::pass;
use crate::support::serve;
use crate::support::wait;

#[tokio::test]
async fn a_request_that_waited_until_its_attestation_had_ended_reaches_no_handler() {
    let world = World::new();
    for terms in [mutual(&world), asking(&world)] {
        for (alpn, path) in WAYS {
            let mut scene = Scene::new(&world, terms.clone(), alpn).await;
            scene.send(path).await;
            pass(&world, MINUTE + SECOND).await;
            scene.is_refused_late().await;
        }
    }
}

/// By the monotonic clock alone: the other one was set back.
#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_request_of_the_queue_a_current_one() {
    for (alpn, path) in WAYS {
        let world = World::new();
        let mut scene = Scene::new(&world, mutual(&world), alpn).await;
        scene.send(path).await;
        wait(MINUTE + SECOND).await;
        scene.is_refused_late().await;
    }
}

/// Nobody has looked at the clock since the request came.
#[tokio::test]
async fn a_clock_that_is_set_forward_ends_the_attestation_of_a_request_in_the_queue() {
    for (alpn, path) in WAYS {
        let world = World::new();
        let mut scene = Scene::new(&world, mutual(&world), alpn).await;
        scene.send(path).await;
        world.clock.advance(MINUTE);
        scene.is_refused_late().await;
    }
}

#[tokio::test]
async fn a_request_that_waited_for_less_is_served() {
    for (alpn, path) in WAYS {
        let world = World::new();
        let mut scene = Scene::new(&world, mutual(&world), alpn).await;
        scene.send(path).await;
        pass(&world, MINUTE - SECOND).await;
        assert_eq!(scene.answer().await, "hello");
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// The ways to demand an attestation of a route.
const WAYS: [(&str, &str); 4] = [
    ("http/1.1", "/layer"),
    ("http/1.1", "/extractor"),
    ("h2", "/layer"),
    ("h2", "/extractor"),
];

fn asking(world: &World) -> ServerTerms {
    attested(world).ask_peer(about_clients(world))
}

/// A client, and a server with a queue in front of its routes.
struct Scene {
    link: Link,
    alpn: &'static str,
    gate: Gate,
    hits: Arc<AtomicUsize>,
}

impl Scene {
    async fn new(world: &World, terms: ServerTerms, alpn: &'static str) -> Self {
        let (gate, hits) = (Gate::new(), Arc::new(AtomicUsize::new(0)));
        let hit = hits.clone();
        let hello = async move || {
            hit.fetch_add(1, Ordering::SeqCst);
            "hello"
        };
        let extracted = {
            let hello = hello.clone();
            async move |_: AttestationResult| hello().await
        };
        let app = Router::new()
            .route("/layer", get(hello))
            .route_layer(RequireAttestationLayer::new())
            .route("/extractor", get(extracted))
            .layer(from_fn_with_state(gate.clone(), queued));
        let address = serve(acceptor(world, terms), app).await;
        let link = attested_client(world, address, alpn).await;
        Self {
            link,
            alpn,
            gate,
            hits,
        }
    }

    /// Returns once the request waits.
    async fn send(&mut self, path: &str) {
        let request = if self.alpn == "h2" {
            http2::begin(&mut self.link.tls).await.unwrap();
            let flags = http2::END_STREAM | http2::END_HEADERS;
            http2::frame(http2::HEADERS, flags, 1, &http2::head(http2::GET, path))
        } else {
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").into()
        };
        http2::say(&mut self.link.tls, &request).await.unwrap();
        self.gate.reached_by(1).await;
    }

    async fn answer(&mut self) -> String {
        self.gate.open();
        let answer = match self.alpn {
            "h2" => http2::answer(&mut self.link.tls, 1).await.unwrap(),
            _ => self.link.drain().await,
        };
        let answer = String::from_utf8(answer).unwrap();
        let content = answer.rsplit("\r\n\r\n").next();
        content.unwrap_or_default().to_owned()
    }

    async fn is_refused_late(&mut self) {
        let told = self.answer().await;
        assert!(told.contains("attestation-expired"), "{told}");
        assert_eq!(self.hits.load(Ordering::SeqCst), 0);
    }
}

async fn queued(State(queue): State<Gate>, request: Request, next: Next) -> Response {
    queue.pass().await;
    next.run(request).await
}
