//! Peers that take no batches, full queues, and Evidence that does not fit.

use std::sync::Arc;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::ear::Tier;
use atls_tower::ServerTerms;
use end_to_end::World;
use rustls::time_provider::TimeProvider;

use crate::devices::GatedBatcher;
use crate::devices::Minimal;
use crate::devices::PATIENT;
use crate::devices::connecting;
use crate::devices::connector;
use crate::devices::status;

#[tokio::test]
async fn a_client_that_takes_no_batches_gets_evidence_of_its_own() {
    let world = World::new();
    let held = GatedBatcher::new(&world.server_device);
    let server = held.serve(&world).await;
    let client = connector(&world, world.about_servers());
    let mut first = Minimal::asking(&world, &server).await;
    held.gate.reached_by(1).await;
    let others = [
        connecting(&client, server.address),
        connecting(&client, server.address),
    ];
    let mut second = Minimal::asking(&world, &server).await;
    held.until_waiting(3).await;
    held.gate.open();
    for minimal in [&mut first, &mut second] {
        let credential = minimal.answer().await.unwrap();
        assert!(credential.selection().is_none());
        let now = world.clock.current_time().unwrap();
        assert!(
            world
                .about_servers()
                .appraise(credential, now)
                .await
                .is_ok()
        );
    }
    for other in others {
        assert_eq!(status(&other.await.unwrap()), Tier::Affirming);
    }
    let stats = held.batcher.stats();
    assert_eq!((stats.singles, stats.batches), (2, 1));
}

#[tokio::test]
async fn a_flood_of_singles_is_declined_and_delays_no_batch() {
    let world = World::new();
    let held = GatedBatcher::new(&world.server_device);
    let server = held.serve(&world).await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let mut flood = Vec::new();
    for waiting in 1..=16 {
        flood.push(Minimal::asking(&world, &server).await);
        held.until_waiting(waiting).await;
    }
    for _ in 0..20 {
        let mut refused = Minimal::asking(&world, &server).await;
        let declined = refused.answer().await.map(drop);
        assert_eq!(declined, Err(ProtocolError::Declined));
    }
    let others: Vec<_> = (0..10)
        .map(|_| connecting(&client, server.address))
        .collect();
    held.until_waiting(26).await;
    held.gate.open();
    for other in others.into_iter().chain([first]) {
        assert_eq!(status(&other.await.unwrap()), Tier::Affirming);
    }
    for mut single in flood {
        assert!(single.answer().await.is_ok());
    }
}

#[tokio::test]
async fn a_full_queue_is_told_by_an_empty_authenticator() {
    let world = World::new();
    let held = GatedBatcher::with(&world.server_device, |builder| builder.waiting(1));
    let server = held.serve(&world).await;
    let client = connector(&world, world.about_servers());
    let first = connecting(&client, server.address);
    held.gate.reached_by(1).await;
    let second = connecting(&client, server.address);
    held.until_waiting(1).await;
    let refused = connecting(&client, server.address).await.unwrap();
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Declined)
    );
    held.gate.open();
    for served in [first, second] {
        assert_eq!(status(&served.await.unwrap()), Tier::Affirming);
    }
}

#[tokio::test]
async fn evidence_that_does_not_fit_is_told_by_an_empty_authenticator() {
    let world = World::new();
    let server = world
        .serve(
            ServerTerms::new()
                .attester(Arc::new(TooLarge(world.server_device.clone())))
                .deadline(PATIENT),
        )
        .await;
    let client = connector(&world, world.about_servers());
    let refused = connecting(&client, server.address).await.unwrap();
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Declined)
    );
}

/// Makes Evidence for which an answer with a selection has no room.
struct TooLarge<A>(Arc<A>);

impl<A: Attester> Attester for TooLarge<A> {
    fn media_types(&self) -> &[MediaType] {
        self.0.media_types()
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let media_type = self.media_types()[0].clone();
        let evidence = Cmw::evidence(media_type, vec![7; 65_520]);
        Box::pin(std::future::ready(Ok(evidence)))
    }
}
