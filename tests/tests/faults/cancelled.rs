//! Clients that leave, and listeners that are dropped, in the midst of an appraisal by a service that hangs.

use std::sync::Arc;

use atls_remote::Resilient;
use end_to_end::World;
use end_to_end::time::until;
use rustls::time_provider::TimeProvider;
use stand_in::Loopback;

use crate::front::Fault;
use crate::front::Front;
use crate::scene::Scene;
use crate::scene::alive;
use crate::scene::connect;
use crate::scene::pass;
use crate::services::Service;

async fn hanging() -> (Scene, Front, Loopback) {
    let world = World::new();
    let signer = Arc::new(Service::Trustee.signer());
    let keys = Arc::new(signer.keys());
    let clock = world.clock.clone();
    let now = move || clock.current_time().unwrap().as_secs();
    let app = Service::Trustee.stand_in(move |claims| signer.token(claims), now);
    let stand_in = Loopback::serve(app).await;
    let front = Front::of(stand_in.address()).await;
    front.set(Fault::Silent);
    let client = Arc::new(Resilient::new("trustee", Loopback::client()));
    let verifier = Service::Trustee.verifier(front.address, client, keys);
    let device = Service::Trustee.device(&world);
    (Scene::of(world, device, verifier).await, front, stand_in)
}

impl Scene {
    /// A client that is gone once the service was asked about it.
    async fn leaves_while_appraised(&self, front: &Front) {
        let (client, address) = (self.client.clone(), self.served.address);
        let client = tokio::spawn(async move { connect(&client, address).await.map(drop) });
        front.hangs().await;
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
    }
}

/// An appraisal goes on to its own deadline, though its client left: so a service that hangs is found out, however impatient clients
/// are, and others need not wait for it.
#[tokio::test]
async fn clients_that_leave_do_not_hide_a_service_that_hangs() {
    let (scene, front, _stand_in) = hanging().await;
    let tasks = alive();
    for _ in 0..5 {
        scene.leaves_while_appraised(&front).await;
    }
    pass(8).await;
    scene.is_left_with(tasks).await;
    assert_eq!(front.open(), 0);
    let circuit = "atls_service_circuit_open";
    assert_eq!(scene.numbers.value(circuit, &[]), 1.0);
    scene.is_unavailable().await;
    assert_eq!(front.accepted(), 5);
}

#[tokio::test]
async fn a_listener_that_is_dropped_takes_its_appraisals_with_it() {
    let (mut scene, front, _stand_in) = hanging().await;
    let (client, address) = (scene.client.clone(), scene.served.address);
    let client = tokio::spawn(async move { connect(&client, address).await.map(drop) });
    front.hangs().await;
    scene.served.stop();
    assert!(client.await.unwrap().unwrap_err().is_closed());
    until("nobody asks the service", || front.open() == 0).await;
}
