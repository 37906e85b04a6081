//! The bounds on work at once.

use std::sync::Arc;

use atls_core::RelyingParty;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::reqwest_client;
use tokio::net::TcpStream;

#[tokio::test]
async fn silent_clients_delay_nobody() {
    let world = World::new();
    let server = world.serve_attested().await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    let client = reqwest_client(&world.demanding());
    assert!(client.get(server.url("/")).send().await.is_ok());
}

#[tokio::test]
async fn a_slow_device_delays_only_those_who_ask_it() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let slow = tokio::spawn(
        reqwest_client(&world.demanding())
            .get(server.url("/"))
            .send(),
    );
    gate.reached_by(1).await;
    let plain = world
        .plain_client(&["h2"])
        .get(server.url("/"))
        .send()
        .await;
    assert!(plain.is_ok());
    gate.open();
    assert!(slow.await.unwrap().is_ok());
}

#[tokio::test]
async fn attestations_at_once_are_bounded() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new().attester(Arc::new(device)).at_once(2, 1);
    let server = world.serve(terms).await;
    let clients: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn(
                reqwest_client(&world.demanding())
                    .get(server.url("/"))
                    .send(),
            )
        })
        .collect();
    gate.reached_by(2).await;
    // Somebody who needs no exchange still gets through.
    assert!(
        world
            .plain_client(&["h2"])
            .get(server.url("/"))
            .send()
            .await
            .is_ok()
    );
    assert_eq!(gate.waiting(), 0, "a third attestation runs");
    gate.open();
    for client in clients {
        assert!(client.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn appraisals_at_once_are_bounded() {
    let world = World::new();
    let gate = Gate::new();
    let verifier = Gated {
        inner: SimVerifier::new(world.client_device.trust_anchor()),
        gate: gate.clone(),
    };
    let party = RelyingParty::builder()
        .verifier(Arc::new(verifier))
        .standard_policy(atls_core::StandardPolicy::new().dangerous_accept_simulated());
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let terms = terms
        .require_peer(Arc::new(party.build().unwrap()))
        .at_once(100, 1);
    let server = world.serve(terms).await;
    let clients: Vec<_> = (0..4)
        .map(|_| tokio::spawn(reqwest_client(&world.mutual()).get(server.url("/")).send()))
        .collect();
    gate.reached_by(1).await;
    assert_eq!(gate.waiting(), 0, "a second appraisal runs");
    gate.open();
    for client in clients {
        assert!(client.await.unwrap().is_ok());
    }
}
