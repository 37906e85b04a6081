//! A verifier of this process that never returns.

use std::sync::Arc;

use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;

use crate::scene::Scene;
use crate::scene::alive;
use crate::scene::party;

/// One connection at a time has a turn.
#[tokio::test]
async fn a_verifier_that_never_returns_gives_its_turn_back_at_the_deadline() {
    let world = World::new();
    let gate = Gate::new();
    let verifier = Gated {
        inner: SimVerifier::new(world.client_device.trust_anchor()),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(party(Arc::new(verifier)))
        .at_once(1, 1);
    let client = world.client_device.clone();
    let scene = Scene::with(world, client, terms).await;
    let tasks = alive();
    for _ in 0..3 {
        scene.hangs(&gate).await;
        scene.is_left_with(tasks).await;
    }
    scene
        .counts(3.0, "failed", "verifier", "timeout_appraisal")
        .await;
    gate.open();
    scene.accepts().await;
    scene.is_left_with(tasks).await;
}
