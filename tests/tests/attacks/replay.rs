//! Replay of Evidence and authenticators.

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use end_to_end::World;

use crate::middle::Middle;
use crate::middle::link_pair;
use crate::middle::refused;

/// Evidence that the genuine server gives to anybody who asks, over the asker's connection.
async fn harvest(link: &mut Link) -> Cmw {
    let (request, pending) = atls_core::exchange::request(link, &demo::provider(), None).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let (_, authenticator) = link.read().await.unwrap();
    pending.finish(&authenticator).unwrap().cmw().clone()
}

#[tokio::test]
async fn replay_of_evidence_across_connections_fails_even_with_the_leaked_key() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let recorded = harvest(&mut middle.upstream(&world).await).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        link.write(AUTHENTICATOR, &challenge.answer(&recorded).unwrap())
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
async fn replay_of_an_authenticator_across_connections_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let mut upstream = middle.upstream(&world).await;
    let (request, _) = atls_core::exchange::request(&upstream, &demo::provider(), None).unwrap();
    upstream.write(REQUEST, &request).await.unwrap();
    let (_, recorded) = upstream.read().await.unwrap();
    let attack = async {
        let mut link = middle.victim().await;
        link.read().await.unwrap();
        link.write(AUTHENTICATOR, &recorded).await.unwrap();
        link
    };
    let error = refused(&world.demanding(), &middle, attack).await;
    assert_eq!(error.protocol(), Some(&ProtocolError::ContextMismatch));
}

#[tokio::test]
async fn replay_within_a_connection_fails_for_authenticator_and_evidence() {
    let world = World::new();
    let (near, far) = link_pair(&world).await;
    let ask = || atls_core::exchange::request(&near, &demo::provider(), None).unwrap();
    let (first_request, first_pending) = ask();
    let challenge = Challenge::receive(&far, &first_request).unwrap();
    let old = world
        .server_device
        .attest(challenge.to_attest().unwrap())
        .await
        .unwrap();
    let first = challenge.answer(&old).unwrap();
    let party = world.about_servers();
    let now = rustls::time_provider::TimeProvider::current_time(&*world.clock).unwrap();
    assert!(
        party
            .appraise(first_pending.finish(&first).unwrap(), now)
            .await
            .is_ok()
    );
    // Asked again on the same connection: the first answer verbatim,
    let (_, pending) = ask();
    assert_eq!(
        pending.finish(&first).unwrap_err(),
        ProtocolError::ContextMismatch
    );
    // and a new answer around the old Evidence.
    let (request, pending) = ask();
    let again = Challenge::receive(&far, &request)
        .unwrap()
        .answer(&old)
        .unwrap();
    let refused = party
        .appraise(pending.finish(&again).unwrap(), now)
        .await
        .unwrap_err();
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::NotBound));
}

#[tokio::test]
async fn replay_of_a_context_in_the_other_direction_fails() {
    let world = World::new();
    let (near, far) = link_pair(&world).await;
    let (mut request, _) = atls_core::exchange::request(&near, &demo::provider(), None).unwrap();
    Challenge::receive(&far, &request).unwrap();
    // The server asks the client with the client's own context.
    request[0] = 13;
    assert_eq!(
        Challenge::receive(&near, &request).unwrap_err(),
        ProtocolError::ContextSpent
    );
}
