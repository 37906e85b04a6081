//! The order in which peers attest, and wishes that do not meet: axum and reqwest over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::Binding;
use atls_core::Fault;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::ear::Tier;
use atls_core::exchange::RefusalCode;
use atls_reqwest::Attested;
use atls_reqwest::LookupError;
use atls_reqwest::ResponseExt;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use end_to_end::Broken;
use end_to_end::Served;
use end_to_end::Unreachable;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::lenient;
use end_to_end::reqwest_client;

#[tokio::test]
async fn the_server_attests() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let response = reqwest_client(&attested)
        .get(server.url("/peer"))
        .send()
        .await
        .unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(
        (peer.status(), peer.binding()),
        (Tier::Affirming, Binding::Connection)
    );
    assert_eq!(response.text().await.unwrap(), "unattested");
}

#[tokio::test]
async fn only_the_client_attests() {
    let world = World::new();
    let server = world
        .serve(ServerTerms::new().require_peer(world.about_clients()))
        .await;
    let attested = world
        .client()
        .attester(world.client_device.clone())
        .dangerous_accept_unattested_servers()
        .build()
        .unwrap();
    let response = reqwest_client(&attested)
        .get(server.url("/peer"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        response.attestation(&attested).unwrap_err(),
        LookupError::Unknown
    );
    assert_eq!(response.text().await.unwrap(), "affirming");
}

#[tokio::test]
async fn both_attest_the_client_last() {
    let world = World::new();
    let server = world.serve(both(&world)).await;
    let attested = world.mutual();
    assert_eq!(get(&attested, &server, "/peer").await.unwrap(), "affirming");
}

#[tokio::test]
async fn both_attest_the_client_first() {
    let world = World::new();
    let server = world.serve(both(&world).client_first()).await;
    let builder = world.client().require_peer(world.about_servers());
    let attested = builder
        .attester(world.client_device.clone())
        .attest_before_server()
        .build()
        .unwrap();
    assert_eq!(get(&attested, &server, "/peer").await.unwrap(), "affirming");
    // Consent to be first does no harm where the server does not insist.
    let server = world.serve(both(&world)).await;
    assert_eq!(get(&attested, &server, "/peer").await.unwrap(), "affirming");
}

#[tokio::test]
async fn orders_that_cannot_both_be_had_are_refused_at_once() {
    let world = World::new();
    let server = world.serve(both(&world).client_first()).await;
    let error = get(&world.mutual(), &server, "/").await.unwrap_err();
    assert_eq!(
        exchange_error(&error).refused_by_peer(),
        Some(RefusalCode::Incompatible)
    );
    assert_eq!(server.hits(), 0);
}

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

#[tokio::test]
async fn one_refused_client_does_not_touch_the_others() {
    let world = World::new();
    let server = world.serve(both(&world)).await;
    let attested = world.mutual();
    let good = reqwest_client(&attested);
    assert!(good.get(server.url("/")).send().await.is_ok());
    for _ in 0..3 {
        assert!(get(&world.demanding(), &server, "/").await.is_err());
        assert!(good.get(server.url("/")).send().await.is_ok());
    }
    assert_eq!(server.hits(), 4);
}

#[tokio::test]
async fn a_route_demands_what_the_connection_does_not() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.ask_peer(world.about_clients())).await;
    for path in ["/attested", "/extractor"] {
        let stranger = reqwest_client(&world.demanding());
        let refused = stranger.get(server.url(path)).send().await.unwrap();
        assert_eq!(refused.status(), 403);
        assert_eq!(
            refused.headers()["content-type"],
            "application/problem+json"
        );
        assert!(
            refused
                .text()
                .await
                .unwrap()
                .contains("\"code\":\"attestation-required\"")
        );
        let colleague = reqwest_client(&world.mutual());
        assert_eq!(
            colleague
                .get(server.url(path))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
    }
}

#[tokio::test]
async fn claims_of_attestation_in_headers_mean_nothing() {
    let world = World::new();
    let server = world.serve_attested().await;
    let client = reqwest_client(&world.demanding());
    let request = client
        .get(server.url("/attested"))
        .header("attestation-result", "affirming");
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_address_of_the_client_is_kept() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let address: std::net::SocketAddr = get(&attested, &server, "/address")
        .await
        .unwrap()
        .parse()
        .unwrap();
    assert!(address.ip().is_loopback());
}

#[tokio::test]
async fn an_expired_client_is_unattested_and_told_to_connect_anew() {
    let world = World::new();
    let server = world.serve(both(&world)).await;
    let builder = world.client().require_peer(world.about_servers());
    let builder = builder.attester(world.client_device.clone());
    let attested = builder.http(atls_reqwest::Http::One).build().unwrap();
    let client = reqwest_client(&attested);
    let fresh = client.get(server.url("/attested")).send().await.unwrap();
    let valid = fresh.attestation(&attested).is_ok();
    assert!(valid && fresh.status() == 200);
    fresh.text().await.unwrap();
    world.clock.advance(std::time::Duration::from_secs(3600));
    let expired = client.get(server.url("/attested")).send().await.unwrap();
    assert_eq!(expired.status(), 421);
    assert_eq!(expired.headers()["connection"], "close");
    assert_eq!(
        expired.attestation(&attested).unwrap_err(),
        LookupError::Expired
    );
    assert!(
        expired
            .text()
            .await
            .unwrap()
            .contains("attestation-expired")
    );
    // The next request goes on a new connection, and attests again.
    let again = client.get(server.url("/attested")).send().await.unwrap();
    assert!(again.attestation(&attested).is_ok());
    assert_eq!(again.status(), 200);
}

#[tokio::test]
async fn a_certificate_that_tls_refuses_is_refused_before_any_attestation() {
    let (world, other) = (World::new(), World::new());
    let server = world.serve_attested().await;
    let party = world.about_servers();
    let attested = Attested::builder(demo::provider())
        .roots(other.authority.roots().unwrap())
        .require_peer(party)
        .build()
        .unwrap();
    let error = get(&attested, &server, "/").await.unwrap_err();
    assert!(error.is_connect());
    assert!(
        exchange_error(&error).is_tls() && exchange_error(&error).is_peer(),
        "it is an error of TLS: {error:?}"
    );
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_client_that_would_be_asked_for_nothing_cannot_be_built() {
    let world = World::new();
    assert!(world.client().build().unwrap_err().is_local());
    let without_roots = Attested::builder(demo::provider()).require_peer(world.about_servers());
    assert!(without_roots.build().unwrap_err().is_local());
}

#[tokio::test]
async fn declining_is_authentic_and_final() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    let error = get(&world.demanding(), &server, "/").await.unwrap_err();
    assert_eq!(
        exchange_error(&error).protocol(),
        Some(&ProtocolError::Declined)
    );
}

fn both(world: &World) -> ServerTerms {
    ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients())
}

async fn get(attested: &Attested, server: &Served, path: &str) -> Result<String, reqwest::Error> {
    let response = reqwest_client(attested)
        .get(server.url(path))
        .send()
        .await?;
    response.text().await
}
