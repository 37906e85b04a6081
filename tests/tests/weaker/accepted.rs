//! The peers that are served, and the results about them.

use std::sync::Arc;

use atls_core::Binding;
use atls_core::RelyingParty;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_tower::AttestedHttps;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAttestation;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_server;
use axum::http::Uri;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::World;
use end_to_end::reqwest_client;
use end_to_end::weak;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::support::WEAKER;
use crate::support::asking_tls;
use crate::support::attesting_client;
use crate::support::attesting_plainly;
use crate::support::client_tls;
use crate::support::expecting;
use crate::support::serve;
use crate::support::terms;
use crate::support::tls_of;

#[tokio::test]
async fn reqwest_accepts_servers_of_either_mode_over_either_http() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let server = serve(&world, mode).await;
        let party = weak(&world.server_device, binding);
        for http in [Http::One, Http::Two] {
            let attested = expecting(&world, mode, party.clone(), http);
            let client = reqwest_client(&attested);
            for _ in 0..2 {
                let response = client.get(server.url("/")).send().await.unwrap();
                let peer = response.attestation(&attested).unwrap();
                assert_eq!(peer.binding(), binding, "{mode:?} {http:?}");
            }
        }
        assert_eq!(server.hits(), 4);
    }
}

#[tokio::test]
async fn the_hyper_connector_accepts_servers_of_either_mode_over_either_http() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let server = serve(&world, mode).await;
        for alpn in ["h2", "http/1.1"] {
            let terms = ClientTerms::new()
                .require_peer(weak(&world.server_device, binding))
                .servers_attest(mode);
            let connector = ClientConnector::new(client_tls(&world, alpn, None), terms).unwrap();
            let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new())
                .http2_only(alpn == "h2")
                .build(AttestedHttps::new(connector));
            let uri: Uri = server.url("/").parse().unwrap();
            let response = client.get(uri.clone()).await.unwrap();
            let peer = ServerAttestation::of(response.extensions(), &uri).unwrap();
            assert_eq!(peer.binding(), binding);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, "hello");
        }
    }
}

#[tokio::test]
async fn an_axum_handler_sees_what_a_client_of_either_mode_is_bound_to() {
    let world = World::new();
    let plain = ServerTerms::plain();
    for (mode, binding) in WEAKER {
        let (resolver, party) = attesting_client(&world, mode, binding).await;
        let terms = plain.clone().clients_attest(mode).require_peer(party);
        let server = world.serve_with(terms, asking_tls(&world)).await;
        let client = attesting_plainly(&world, Some(resolver));
        let response = client.get(server.url("/binding")).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), binding.to_string());
    }
}

#[tokio::test]
async fn both_ends_attest_in_every_pair_of_modes() {
    let world = World::new();
    for (servers, of_server) in WEAKER {
        for (clients, of_client) in WEAKER {
            let (resolver, party) = attesting_client(&world, clients, of_client).await;
            let terms = terms(&world, servers)
                .clients_attest(clients)
                .require_peer(party);
            let server = world.serve_with(terms, tls_of(&world, servers).await).await;
            let about_server = weak(&world.server_device, of_server);
            let attested = world
                .client()
                .server_verifier(dangerous_any_server(&demo::provider()))
                .client_certificate(resolver)
                .require_peer(about_server)
                .servers_attest(servers)
                .build()
                .unwrap();
            let client = reqwest_client(&attested);
            let response = client.get(server.url("/binding")).send().await.unwrap();
            let peer = response.attestation(&attested).unwrap();
            assert_eq!(peer.binding(), of_server, "{servers:?} {clients:?}");
            assert_eq!(response.text().await.unwrap(), of_client.to_string());
        }
    }
}

/// The server is bound to the connection, the client to less.
#[tokio::test]
async fn a_client_may_attest_in_its_certificate_to_a_server_that_attests_after_the_handshake() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let (resolver, party) = attesting_client(&world, mode, binding).await;
        let terms = ServerTerms::new()
            .attester(world.server_device.clone())
            .clients_attest(mode)
            .require_peer(party);
        let server = world.serve_with(terms, asking_tls(&world)).await;
        let attested = world
            .client()
            .client_certificate(resolver)
            .require_peer(world.about_servers())
            .build()
            .unwrap();
        let client = reqwest_client(&attested);
        let response = client.get(server.url("/binding")).send().await.unwrap();
        let peer = response.attestation(&attested).unwrap();
        assert_eq!(peer.binding(), Binding::Connection);
        assert_eq!(response.text().await.unwrap(), binding.to_string());
    }
}

#[tokio::test]
async fn clients_that_open_the_exchange_get_the_better_binding() {
    let world = World::new();
    let server = serve(&world, Mode::InHandshake).await;
    let attested = expecting(
        &world,
        Mode::AfterHandshake,
        world.about_servers(),
        Http::Two,
    );
    let client = reqwest_client(&attested);
    let response = client.get(server.url("/")).send().await.unwrap();
    let peer = response.attestation(&attested).unwrap();
    assert_eq!(peer.binding(), Binding::Connection);
}

#[tokio::test]
async fn a_server_that_only_asks_serves_plain_clients_as_unattested() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let party = weak(&world.client_device, binding);
        let terms = ServerTerms::new().clients_attest(mode).ask_peer(party);
        let server = world.serve_with(terms, asking_tls(&world)).await;
        for alpn in ["h2", "http/1.1"] {
            let client = world.plain_client(&[alpn]);
            let response = client.get(server.url("/peer")).send().await.unwrap();
            assert_eq!(response.text().await.unwrap(), "unattested");
        }
    }
}

#[tokio::test]
async fn plain_clients_use_servers_of_either_mode() {
    let world = World::new();
    for (mode, _) in WEAKER {
        let server = serve(&world, mode).await;
        let response = attesting_plainly(&world, None)
            .get(server.url("/peer"))
            .send();
        assert_eq!(response.await.unwrap().text().await.unwrap(), "unattested");
    }
}

/// In neither direction is there HTTP before the decision: the verifier is held, and the server hears nothing.
#[tokio::test]
async fn a_server_hears_nothing_of_http_while_it_is_appraised() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let server = serve(&world, mode).await;
        let gate = Gate::new();
        let verifier = Gated {
            inner: atls_sim::SimVerifier::new(world.server_device.trust_anchor()),
            gate: gate.clone(),
        };
        let policy = atls_core::StandardPolicy::new()
            .dangerous_accept_simulated()
            .dangerous_accept_binding(binding);
        let party = RelyingParty::builder()
            .verifier(Arc::new(verifier))
            .standard_policy(policy)
            .build();
        let attested = expecting(&world, mode, Arc::new(party.unwrap()), Http::One);
        let asked = tokio::spawn(reqwest_client(&attested).get(server.url("/")).send());
        gate.reached_by(1).await;
        assert_eq!(server.hits(), 0);
        gate.open();
        assert!(asked.await.unwrap().is_ok());
        assert_eq!(server.hits(), 1);
    }
}
