//! Relay and diversion.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::REQUEST;
use atls_core::AppraisalError;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::Challenge;
use atls_core::policy::Candidate;
use atls_sim::SimAttester;
use atls_sim::SimClaims;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;

use crate::middle::Middle;
use crate::middle::demanding;
use crate::middle::evidence_in;
use crate::middle::refused;

#[tokio::test]
async fn relay_of_request_and_authenticator_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    for leaked in [false, true] {
        let middle = match leaked {
            false => Middle::misissued(&world, &server).await,
            true => Middle::with_leaked_key(&world, &server).await,
        };
        let attack = async {
            let mut link = middle.victim().await;
            let (_, request) = link.read().await.unwrap();
            let mut upstream = middle.upstream(&world).await;
            upstream.write(REQUEST, &request).await.unwrap();
            let (_, authenticator) = upstream.read().await.unwrap();
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
            link
        };
        let error = refused(&world.demanding(), &middle, attack).await;
        assert_eq!(
            error.protocol(),
            Some(&ProtocolError::BadFinished),
            "leaked: {leaked}"
        );
    }
}

/// The attack that the binding to the connection exists for: the intra-handshake and pre-handshake modes fall to it.
#[tokio::test]
async fn relay_of_evidence_under_the_leaked_key_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let attack = async {
        let mut link = middle.victim().await;
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(&link, &request).unwrap();
        // He asks the genuine server with the victim's very context.
        let mut upstream = middle.upstream(&world).await;
        upstream.write(REQUEST, &request).await.unwrap();
        let (_, authenticator) = upstream.read().await.unwrap();
        let evidence = evidence_in(&authenticator, &world);
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
async fn relay_through_an_honest_proxy_that_ends_tls_fails() {
    let world = World::new();
    let server = world.serve_attested().await;
    let middle = Middle::with_leaked_key(&world, &server).await;
    let client = reqwest_client(&world.demanding());
    let victim = client.get(middle.url()).send();
    let proxy = async {
        let mut link = middle.victim().await;
        let mut upstream = middle.upstream(&world).await;
        let _ = tokio::io::copy_bidirectional(&mut link.tls, &mut upstream.tls).await;
    };
    let (response, ()) = tokio::join!(victim, proxy);
    let error = exchange_error(&response.unwrap_err());
    assert_eq!(error.protocol(), Some(&ProtocolError::BadFinished));
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn diversion_to_another_attested_machine_fails_by_its_certificate() {
    let (world, elsewhere) = (World::new(), World::new());
    let other = elsewhere.serve_attested().await;
    // The client even trusts the other machine's device.
    let both = SimVerifier::new(world.server_device.trust_anchor())
        .with_trust_anchor(elsewhere.server_device.trust_anchor());
    let attested = demanding(&world, both, |_| Ok(()));
    let error = reqwest_client(&attested)
        .get(other.url("/"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert!(
        exchange_error(&error).is_tls() && exchange_error(&error).is_peer(),
        "TLS refuses: {error:?}"
    );
    assert_eq!(other.hits(), 0);
}

/// With a certificate for the name as well, another genuine machine is another genuine machine: only a policy that names
/// the instance tells them apart. The second half shows that it would pass without.
#[tokio::test]
async fn diversion_with_a_misissued_certificate_fails_by_the_instance_only() {
    let world = World::new();
    let other_device = Arc::new(SimAttester::generate().unwrap());
    let tls = world.authority.server().unwrap();
    let terms = ServerTerms::new().attester(other_device.clone());
    let other = world.serve_with(terms, tls).await;
    let both = || {
        SimVerifier::new(world.server_device.trust_anchor())
            .with_trust_anchor(other_device.trust_anchor())
    };
    let ours = world.server_device.trust_anchor().instance_id().to_vec();
    let pinned = move |peer: &Candidate| match peer.claims::<SimClaims>() {
        Ok(claims) if claims.instance_id == ours => Ok(()),
        _ => Err(PolicyViolation::custom("another machine")),
    };
    let error = reqwest_client(&demanding(&world, both(), pinned))
        .get(other.url("/"))
        .send()
        .await;
    let refused = Refusal::Policy(PolicyViolation::custom("another machine"));
    assert_eq!(
        exchange_error(&error.unwrap_err()).refusal(),
        Some(&refused)
    );
    assert_eq!(other.hits(), 0);
    let unpinned = demanding(&world, both(), |_| Ok(()));
    assert!(
        reqwest_client(&unpinned)
            .get(other.url("/"))
            .send()
            .await
            .is_ok()
    );
}
