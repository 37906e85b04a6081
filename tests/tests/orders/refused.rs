//! Peers that cannot or do not attest.

use std::sync::Arc;

use atls_core::Fault;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::exchange::RefusalCode;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use end_to_end::Broken;
use end_to_end::Unreachable;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::lenient;

use crate::requests::both;
use crate::requests::get;

#[tokio::test]
async fn a_server_that_asks_serves_who_cannot_attest_as_unattested() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.ask_peer(world.about_clients())).await;
    assert_eq!(
        get(&world.demanding(), &server, "/peer").await.unwrap(),
        "unattested"
    );
    assert_eq!(
        get(&world.mutual(), &server, "/peer").await.unwrap(),
        "affirming"
    );
    for alpn in ["h2", "http/1.1"] {
        let plain = world
            .plain_client(&[alpn])
            .get(server.url("/peer"))
            .send()
            .await
            .unwrap();
        assert_eq!(plain.text().await.unwrap(), "unattested", "{alpn}");
    }
}

#[tokio::test]
async fn a_server_that_asks_still_refuses_bad_attestation() {
    let world = World::new();
    let stranger = lenient(&SimAttester::generate().unwrap()).build().unwrap();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.ask_peer(Arc::new(stranger))).await;
    let error = get(&world.mutual(), &server, "/").await.unwrap_err();
    assert_eq!(
        exchange_error(&error).refused_by_peer(),
        Some(RefusalCode::NotAccepted)
    );
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_server_that_requires_attestation_serves_nobody_else() {
    let world = World::new();
    let server = world.serve(both(&world)).await;
    let error = get(&world.demanding(), &server, "/").await.unwrap_err();
    assert_eq!(
        exchange_error(&error).refused_by_peer(),
        Some(RefusalCode::AttestationRequired)
    );
    for alpn in ["h2", "http/1.1"] {
        let plain = world
            .plain_client(&[alpn])
            .get(server.url("/"))
            .send()
            .await;
        assert_eq!(plain.unwrap().status(), 403, "{alpn}");
    }
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_server_without_attester_is_refused() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let error = get(&world.demanding(), &server, "/").await.unwrap_err();
    assert!(exchange_error(&error).is_peer_unattested());
    assert_eq!(exchange_error(&error).reason(), "unattested");
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_server_whose_device_fails_is_refused() {
    let world = World::new();
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(Broken(world.server_device.clone()))))
        .await;
    let error = get(&world.demanding(), &server, "/").await.unwrap_err();
    assert!(exchange_error(&error).is_peer_unattested());
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_client_whose_device_fails_sends_no_request() {
    let world = World::new();
    let server = world.serve(both(&world)).await;
    let broken = Arc::new(Broken(world.client_device.clone()));
    let builder = world.client().require_peer(world.about_servers());
    let attested = builder.attester(broken).build().unwrap();
    let error = get(&attested, &server, "/").await.unwrap_err();
    assert_eq!(exchange_error(&error).fault(), Fault::Local);
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn an_unknown_device_is_refused_by_the_client() {
    let world = World::new();
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(SimAttester::generate().unwrap())))
        .await;
    let error = get(&world.demanding(), &server, "/").await.unwrap_err();
    let refused = Refusal::Appraisal(atls_core::AppraisalError::UnknownKey);
    assert_eq!(exchange_error(&error).refusal(), Some(&refused));
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_simulator_is_refused_unless_it_is_named() {
    let world = World::new();
    let server = world.serve_attested().await;
    let strict = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(
            world.server_device.trust_anchor(),
        )))
        .build()
        .unwrap();
    let attested = world
        .client()
        .require_peer(Arc::new(strict))
        .build()
        .unwrap();
    let error = get(&attested, &server, "/").await.unwrap_err();
    let refused = Refusal::Policy(PolicyViolation::Simulated);
    assert_eq!(exchange_error(&error).refusal(), Some(&refused));
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_verifier_that_cannot_be_asked_is_a_refusal_by_its_own_fault() {
    let world = World::new();
    let server = world.serve_attested().await;
    let dead = Unreachable(SimVerifier::new(world.server_device.trust_anchor()));
    let party = RelyingParty::builder()
        .verifier(Arc::new(dead))
        .build()
        .unwrap();
    let attested = world
        .client()
        .require_peer(Arc::new(party))
        .build()
        .unwrap();
    let error = get(&attested, &server, "/").await.unwrap_err();
    assert!(exchange_error(&error).is_verifier());
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_client_that_the_servers_verifier_cannot_appraise_is_told_to_come_again() {
    let world = World::new();
    let dead = Unreachable(SimVerifier::new(world.client_device.trust_anchor()));
    let party = RelyingParty::builder()
        .verifier(Arc::new(dead))
        .build()
        .unwrap();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.require_peer(Arc::new(party))).await;
    let error = get(&world.mutual(), &server, "/").await.unwrap_err();
    assert_eq!(
        exchange_error(&error).refused_by_peer(),
        Some(RefusalCode::Unavailable)
    );
    assert_eq!(server.hits(), 0);
}
