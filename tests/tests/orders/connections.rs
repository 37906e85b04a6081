//! Routes, headers and the life of a connection.

use atls_core::ProtocolError;
use atls_reqwest::Attested;
use atls_reqwest::LookupError;
use atls_reqwest::ResponseExt;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::reqwest_client;

use crate::requests::both;
use crate::requests::get;

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
