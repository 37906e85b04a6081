//! The numbers of this end's work: its device, its verifier, and who waits for them.

use std::sync::Arc;

use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::combine::Cached;
use atls_sim::SimVerifier;
use atls_tower::Batcher;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::time::PATIENCE;
use tokio::io::DuplexStream;

use crate::recorded::Recorded;

const BATCH: &str = r#"line="batch""#;
const SINGLE: &str = r#"line="single""#;
const ATTESTATION: &str = r#"work="attestation""#;

#[tokio::test]
async fn those_who_wait_for_a_device_count_beside_its_limits() {
    let recorded = Recorded::begin();
    let world = World::new();
    let gate = Gate::new();
    let batcher = Batcher::builder(gated(&world, &gate)).waiting(2).singles(1);
    let batcher = batcher.device_deadline(PATIENCE).spawn().unwrap();
    assert_eq!(recorded.value("atls_batch_waiting_limit", &[BATCH]), 2.0);
    assert_eq!(recorded.value("atls_batch_waiting_limit", &[SINGLE]), 1.0);
    let terms = ServerTerms::new().attester(Arc::new(batcher.clone()));
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let clients = connector(&world, world.about_servers());
    let first = connecting(&acceptor, &clients);
    gate.reached_by(1).await;
    // One has the device, two wait for the next batch, and the line is full.
    let waiting = [
        connecting(&acceptor, &clients),
        connecting(&acceptor, &clients),
    ];
    while batcher.stats().waiting < 2 {
        tokio::task::yield_now().await;
    }
    connecting(&acceptor, &clients).await.unwrap().unwrap_err();
    assert_eq!(recorded.value("atls_batch_refused_total", &[BATCH]), 1.0);
    assert_eq!(recorded.value("atls_batch_waiting", &[BATCH]), 3.0);
    gate.open();
    first.await.unwrap().unwrap();
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    assert_eq!(recorded.value("atls_batch_waiting", &[BATCH]), 0.0);
    assert_eq!(recorded.value("atls_batch_connections_sum", &[]), 3.0);
    assert_eq!(recorded.value("atls_batch_connections_count", &[]), 2.0);
    let made = [r#"outcome="made""#];
    let times = recorded.value("atls_batch_device_seconds_count", &made);
    assert_eq!(times, 2.0);
}

#[tokio::test]
async fn those_who_wait_for_a_turn_count_beside_the_limit() {
    let recorded = Recorded::begin();
    let world = World::new();
    let gate = Gate::new();
    let terms = ServerTerms::new()
        .attester(Arc::new(gated(&world, &gate)))
        .at_once(1, 1);
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    assert_eq!(recorded.value("atls_work_limit", &[ATTESTATION]), 1.0);
    let clients = connector(&world, world.about_servers());
    let attempts = [
        connecting(&acceptor, &clients),
        connecting(&acceptor, &clients),
    ];
    gate.reached_by(1).await;
    while recorded.value("atls_work_waiting", &[ATTESTATION]) < 1.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(recorded.value("atls_work_in_progress", &[ATTESTATION]), 1.0);
    gate.open();
    for attempt in attempts {
        attempt.await.unwrap().unwrap();
    }
    assert_eq!(recorded.value("atls_work_waiting", &[ATTESTATION]), 0.0);
    assert_eq!(recorded.value("atls_work_in_progress", &[ATTESTATION]), 0.0);
}

#[tokio::test]
async fn a_result_that_is_used_again_counts_as_such() {
    let recorded = Recorded::begin();
    let world = World::new();
    let gate = Gate::new();
    let batcher = Batcher::builder(gated(&world, &gate)).device_deadline(PATIENCE);
    let batcher = batcher.spawn().unwrap();
    let terms = ServerTerms::new().attester(Arc::new(batcher.clone()));
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let verifier = SimVerifier::new(world.server_device.trust_anchor());
    let verifier = Cached::new(verifier).with_observer(atls_tower::cache_metrics("devices"));
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let clients = connector(&world, Arc::new(relying_party.build().unwrap()));
    let first = connecting(&acceptor, &clients);
    gate.reached_by(1).await;
    let batch = [
        connecting(&acceptor, &clients),
        connecting(&acceptor, &clients),
    ];
    while batcher.stats().waiting < 2 {
        tokio::task::yield_now().await;
    }
    gate.open();
    first.await.unwrap().unwrap();
    for attempt in batch {
        attempt.await.unwrap().unwrap();
    }
    let of = |result: &str| {
        let labels = [r#"verifier="devices""#, result];
        recorded.value("atls_cache_appraisals_total", &labels)
    };
    assert_eq!(of(r#"result="appraised""#), 2.0);
    assert_eq!(of(r#"result="used_again""#) + of(r#"result="shared""#), 1.0);
}

fn gated(world: &World, gate: &Gate) -> Gated<Arc<atls_sim::SimAttester>> {
    Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    }
}

fn connector(world: &World, servers: Arc<RelyingParty>) -> ClientConnector {
    let terms = ClientTerms::new().require_peer(servers).deadline(PATIENCE);
    ClientConnector::new(world.client_tls(&[]), terms).unwrap()
}

type Connecting = tokio::task::JoinHandle<Result<(), atls_tower::Error>>;

/// Both ends of one connection in memory. What the client says counts.
fn connecting(acceptor: &ServerAcceptor, clients: &ClientConnector) -> Connecting {
    let (near, far): (DuplexStream, _) = tokio::io::duplex(64 * 1024);
    let (acceptor, clients) = (acceptor.clone(), clients.clone());
    tokio::spawn(async move {
        let name = "localhost".try_into().unwrap();
        let (accepted, connected) = tokio::join!(acceptor.accept(near), clients.connect(name, far));
        drop(accepted);
        connected.map(drop)
    })
}
