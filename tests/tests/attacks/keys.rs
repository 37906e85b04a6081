//! Keys that are swapped, and Evidence that is sent back.

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::Challenge;
use end_to_end::World;

use crate::middle::Middle;
use crate::middle::evidence_in;
use crate::middle::first;
use crate::middle::refused;

#[tokio::test]
async fn key_substitution_fails_under_either_key() {
    let world = World::new();
    let server = world.serve_attested().await;
    // The genuine key in the authenticator, his own in TLS,
    let middle = Middle::misissued(&world, &server).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge =
            Challenge::receive(&link.with_identity(world.stolen_key()).unwrap(), &request).unwrap();
        let evidence = world
            .server_device
            .attest(challenge.to_attest().unwrap())
            .await
            .unwrap();
        let authenticator = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(error.protocol(), Some(&ProtocolError::KeyMismatch));
    // and Evidence about the genuine key, on this very connection, in an authenticator under his.
    let middle = Middle::misissued(&world, &server).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let genuine =
            Challenge::receive(&link.with_identity(world.stolen_key()).unwrap(), &request).unwrap();
        let evidence = world
            .server_device
            .attest(genuine.to_attest().unwrap())
            .await
            .unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        link.write(AUTHENTICATOR, &challenge.answer(&evidence).unwrap())
            .await
            .unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(
        error.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
}

#[tokio::test]
async fn reflection_of_the_clients_own_authenticator_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let attested = first(&world, &world.server_device);
    let attack = async {
        let mut link = middle.victim().await;
        link.read().await.unwrap();
        let authenticator = lure(&mut link, &world).await;
        link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        link
    };
    let error = refused(&attested, &middle, attack).await;
    assert_eq!(error.protocol(), Some(&ProtocolError::ContextMismatch));
}

/// Client and server are the same kind of machine, and the client attests first: its Evidence comes back to it.
#[tokio::test]
async fn crossing_the_evidence_of_the_two_ends_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let attested = first(&world, &world.server_device);
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        let authenticator = lure(&mut link, &world).await;
        let evidence = evidence_in(&authenticator, &world);
        link.write(AUTHENTICATOR, &challenge.answer(&evidence).unwrap())
            .await
            .unwrap();
        link
    };
    let error = refused(&attested, &middle, attack).await;
    assert_eq!(
        error.refusal(),
        Some(&Refusal::Appraisal(AppraisalError::NotBound))
    );
}

/// Asks the client to attest first, and gets its authenticator.
async fn lure(link: &mut Link, world: &World) -> Vec<u8> {
    let formats = world.about_clients().media_types();
    let parameters =
        atls_core::exchange::Parameters::server(formats, atls_core::exchange::Order::ClientFirst);
    let (request, _) =
        atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let (kind, authenticator) = link.read().await.unwrap();
    assert_eq!(kind, AUTHENTICATOR);
    link.write(adversary::VERDICT, &[0, 0, 0, 14, 16])
        .await
        .unwrap();
    authenticator
}
