//! A server recalls its connections: each is attested anew, by what is in force then.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::pki_types::UnixTime;
use atls_core::policy::Candidate;
use atls_sim::SimVerifier;
use atls_tower::ServerAttestation;
use atls_tower::ServerTerms;
use axum::Router;
use axum::routing::get;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::lenient;
use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::support::HyperClient;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::connector;
use crate::support::hyper_client;
use crate::support::mutual;
use crate::support::pass;
use crate::support::serve;
use crate::support::uri;

const WITHIN: Duration = Duration::from_secs(20);
const AT_MOST: usize = 100;

#[tokio::test]
async fn clients_attest_anew_after_a_recall_over_http_2() {
    attests_anew("h2").await;
}

#[tokio::test]
async fn clients_attest_anew_after_a_recall_over_http_1() {
    attests_anew("http/1.1").await;
}

#[tokio::test]
async fn a_client_that_the_new_policy_refuses_is_served_no_more_over_http_2() {
    is_served_no_more("h2").await;
}

#[tokio::test]
async fn a_client_that_the_new_policy_refuses_is_served_no_more_over_http_1() {
    is_served_no_more("http/1.1").await;
}

async fn is_served_no_more(alpn: &str) {
    let world = World::new();
    let acceptor = acceptor(&world, mutual(&world));
    let address = serve(acceptor.clone(), hello()).await;
    let client = hyper_client(&world, alpn);
    assert!(ask(&client, address).await.is_some());
    let nobody = attested(&world).require_peer(refusing(&world));
    acceptor
        .replace(world.server_tls(), nobody, WITHIN)
        .unwrap();
    for _ in 0..AT_MOST {
        if ask(&client, address).await.is_none() {
            assert!(ask(&client, address).await.is_none());
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the client is still served");
}

#[tokio::test]
async fn new_terms_hold_for_new_connections() {
    let world = World::new();
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor.clone(), hello()).await;
    let before = hyper_client(&world, "h2");
    assert!(ask(&before, address).await.is_some());
    let nobody = attested(&world).require_peer(refusing(&world));
    acceptor
        .replace(world.server_tls(), nobody, WITHIN)
        .unwrap();
    assert!(ask(&hyper_client(&world, "h2"), address).await.is_none());
}

#[tokio::test]
async fn terms_that_cannot_be_used_change_nothing_and_recall_nobody() {
    let world = World::new();
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor.clone(), hello()).await;
    let client = hyper_client(&world, "h2");
    let first = ask(&client, address).await.unwrap();
    // Nobody attests, and they do not say that this is meant.
    let unusable = ServerTerms::new();
    let refused = acceptor.replace(world.server_tls(), unusable, WITHIN);
    assert!(refused.is_err());
    let second = ask(&client, address).await.unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn a_request_under_way_is_finished_within_the_time() {
    let world = World::new();
    let gate = Gate::new();
    let slow = gate.clone();
    let app = Router::new().route(
        "/",
        get(async move || {
            slow.pass().await;
            "at last"
        }),
    );
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor.clone(), app).await;
    let client = hyper_client(&world, "h2");
    let asking = tokio::spawn(client.get(uri(address)));
    gate.reached_by(1).await;
    acceptor.recall(WITHIN);
    pass(&world, WITHIN / 2).await;
    gate.open();
    assert_eq!(asking.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn a_request_that_takes_longer_is_cut() {
    let world = World::new();
    let gate = Gate::new();
    let slow = gate.clone();
    let app = Router::new().route("/", get(async move || slow.pass().await));
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor.clone(), app).await;
    let client = hyper_client(&world, "h2");
    let asking = tokio::spawn(client.get(uri(address)));
    gate.reached_by(1).await;
    acceptor.recall(WITHIN);
    pass(&world, WITHIN).await;
    assert!(asking.await.unwrap().is_err());
}

#[tokio::test]
async fn a_connection_that_was_in_its_handshake_is_recalled_too() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let acceptor = acceptor(&world, ServerTerms::new().attester(Arc::new(device)));
    let address = serve(acceptor.clone(), hello()).await;
    let socket = TcpStream::connect(address).await.unwrap();
    let connector = connector(&world, "http/1.1");
    let connecting = tokio::spawn(async move {
        let name = "localhost".try_into().unwrap();
        connector.connect(name, socket).await
    });
    gate.reached_by(1).await;
    acceptor.recall(WITHIN);
    gate.open();
    let mut stream = connecting.await.unwrap().unwrap();
    pass(&world, WITHIN).await;
    // Closed, without waiting for the limit of 30 s on a first request.
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_recall_ends_connections_in_its_time_though_the_verifier_hangs() {
    let world = World::new();
    let (hangs, gate) = (Arc::new(AtomicBool::new(false)), Gate::new());
    let verifier = Hanging {
        inner: SimVerifier::new(world.client_device.trust_anchor()),
        hangs: hangs.clone(),
        gate: gate.clone(),
    };
    let clients = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let terms = attested(&world).require_peer(Arc::new(clients.build().unwrap()));
    let acceptor = acceptor(&world, terms);
    let address = serve(acceptor.clone(), hello()).await;
    let connector = connector(&world, "http/1.1");
    let connect = async move || {
        let socket = TcpStream::connect(address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        connector.connect(name, socket).await
    };
    let mut accepted = connect().await.unwrap();
    hangs.store(true, Ordering::Relaxed);
    acceptor.recall(WITHIN);
    let next = tokio::spawn(async move { connect().await });
    gate.reached_by(1).await;
    pass(&world, WITHIN).await;
    assert_eq!(accepted.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(next.await.unwrap().is_err(), "nobody is accepted meanwhile");
}

/// A verifier that gives no result from some moment on.
struct Hanging {
    inner: SimVerifier,
    hangs: Arc<AtomicBool>,
    /// Whoever comes to it stays.
    gate: Gate,
}

impl Verifier for Hanging {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            if self.hangs.load(Ordering::Relaxed) {
                self.gate.pass().await;
            }
            self.inner.appraise(evidence, now).await
        })
    }
}

#[tokio::test]
async fn a_second_recall_ends_the_connections_since_the_first() {
    let world = World::new();
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor.clone(), hello()).await;
    let client = hyper_client(&world, "h2");
    let first = moved(&client, address, None).await;
    acceptor.recall(WITHIN);
    let second = moved(&client, address, Some(&first)).await;
    acceptor.recall(WITHIN);
    moved(&client, address, Some(&second)).await;
}

#[tokio::test]
async fn a_recalled_connection_ends_at_once_where_a_later_recall_says_so() {
    let world = World::new();
    let gate = Gate::new();
    let slow = gate.clone();
    let app = Router::new().route("/", get(async move || slow.pass().await));
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor.clone(), app).await;
    let client = hyper_client(&world, "h2");
    let asking = tokio::spawn(client.get(uri(address)));
    gate.reached_by(1).await;
    acceptor.recall(WITHIN);
    acceptor.recall(Duration::ZERO);
    gate.open();
    assert!(asking.await.unwrap().is_err());
}

async fn attests_anew(alpn: &str) {
    let world = World::new();
    let acceptor = acceptor(&world, mutual(&world));
    let address = serve(acceptor.clone(), hello()).await;
    let client = hyper_client(&world, alpn);
    let first = moved(&client, address, None).await;
    acceptor.recall(WITHIN);
    let new = moved(&client, address, Some(&first)).await;
    // The recall was of the connections before it.
    let next = ask(&client, address).await.unwrap();
    assert!(Arc::ptr_eq(&new, &next));
}

/// Asks until another connection answers than the one with this attestation. Requests that cross with the goodbye still go
/// the old way.
async fn moved(
    client: &HyperClient,
    address: SocketAddr,
    from: Option<&Arc<PeerAttestation>>,
) -> Arc<PeerAttestation> {
    for _ in 0..AT_MOST {
        let now = ask(client, address).await.unwrap();
        if from.is_none_or(|from| !Arc::ptr_eq(from, &now)) {
            return now;
        }
        tokio::task::yield_now().await;
    }
    panic!("the client is still on the recalled connection");
}

/// The attestation of the server that answered, `None` where none did.
async fn ask(client: &HyperClient, address: SocketAddr) -> Option<Arc<PeerAttestation>> {
    let uri = uri(address);
    let response = client.get(uri.clone()).await.ok()?;
    assert_eq!(response.status(), 200);
    let peer = ServerAttestation::of(response.extensions(), &uri).cloned();
    response.into_body().collect().await.unwrap();
    peer
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

/// Accepts no client.
fn refusing(world: &World) -> Arc<RelyingParty> {
    let nobody = |_: &Candidate| Err(PolicyViolation::custom("nobody is welcome"));
    Arc::new(
        lenient(&world.client_device)
            .policy(nobody)
            .build()
            .unwrap(),
    )
}
