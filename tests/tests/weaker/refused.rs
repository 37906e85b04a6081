//! The certificates that are refused, before anything of HTTP.

use std::sync::Arc;

use adversary::Link;
use atls_core::Binding;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::session::Side;
use atls_reqwest::Http;
use atls_sim::SimAttester;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::lenient;
use end_to_end::reqwest_client;
use end_to_end::weak;
use rustls::client::ResolvesClientCert;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpListener;

use crate::support::FixedCertificate;
use crate::support::WEAKER;
use crate::support::accept_one;
use crate::support::asking_tls;
use crate::support::attest;
use crate::support::attesting_plainly;
use crate::support::client_tls;
use crate::support::expecting;
use crate::support::not_bound;
use crate::support::present;
use crate::support::resolver;
use crate::support::serve;
use crate::support::server_tls;
use crate::support::url_of;

#[tokio::test]
async fn the_default_policy_refuses_servers_of_either_mode() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let server = serve(&world, mode).await;
        let attested = expecting(&world, mode, world.about_servers(), Http::Two);
        let refused = reqwest_client(&attested).get(server.url("/")).send().await;
        let violation = Refusal::Policy(PolicyViolation::Binding(binding));
        let error = exchange_error(&refused.unwrap_err());
        assert_eq!(error.refusal(), Some(&violation));
        let explained = source_of(&error);
        for part in [
            binding.to_string().as_str(),
            "relayed or replayed",
            "after the handshake",
            "dangerous_accept_binding",
        ] {
            assert!(explained.contains(part), "{explained}");
        }
        assert_eq!(server.hits(), 0);
    }
}

/// Terms that name no weaker mode look at no certificate, whatever the policy would accept: the exchange of the default mode runs.
#[tokio::test]
async fn a_policy_without_terms_accepts_no_certificate() {
    let world = World::new();
    let server = serve(&world, Mode::InCertificate).await;
    let party = weak(&world.server_device, Binding::Key);
    let attested = expecting(&world, Mode::AfterHandshake, party, Http::Two);
    let refused = reqwest_client(&attested).get(server.url("/")).send().await;
    let error = exchange_error(&refused.unwrap_err());
    assert_eq!(error.protocol(), Some(&ProtocolError::Declined));
    assert_eq!(server.hits(), 0);

    let device = Arc::new(SimAttester::generate().unwrap());
    let trusting = weak(&device, Binding::Key);
    let resolver = resolver(&world, Mode::InCertificate, device).await;
    let good = ServerTerms::new()
        .clients_attest(Mode::InCertificate)
        .require_peer(trusting.clone());
    let served = world.serve_with(good, asking_tls(&world)).await;
    let client = attesting_plainly(&world, resolver.clone());
    let response = client.get(served.url("/")).send().await;
    assert!(response.is_ok(), "with terms it is good");
    let terms = ServerTerms::new().require_peer(trusting);
    let served = world.serve_with(terms, asking_tls(&world)).await;
    let client = attesting_plainly(&world, resolver);
    let told = client.get(served.url("/")).send().await.unwrap();
    assert_eq!(told.status(), 403, "it is a plain client");
    assert_eq!(served.hits(), 0);
}

/// Why, in the words of the last cause.
fn source_of(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => source_of(source),
        None => error.to_string(),
    }
}

#[tokio::test]
async fn the_default_policy_refuses_clients_of_either_mode() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let device = Arc::new(SimAttester::generate().unwrap());
        let strict = Arc::new(lenient(&device).build().unwrap());
        let resolver = resolver(&world, mode, device).await;
        let terms = ServerTerms::new().clients_attest(mode).require_peer(strict);
        let refused = accept_one(&world, terms, resolver).await;
        let violation = Refusal::Policy(PolicyViolation::Binding(binding));
        assert_eq!(refused.unwrap_err().refusal(), Some(&violation));
    }
}

/// Evidence of the one mode never passes for that of the other, whatever the policy accepts.
#[tokio::test]
async fn evidence_of_the_other_mode_is_not_bound() {
    let world = World::new();
    for (speaks, expects) in [
        (Mode::InCertificate, Mode::InHandshake),
        (Mode::InHandshake, Mode::InCertificate),
    ] {
        let server = serve(&world, speaks).await;
        let party = weak(&world.server_device, Binding::Key);
        let attested = expecting(&world, expects, party, Http::Two);
        let refused = reqwest_client(&attested).get(server.url("/")).send().await;
        let error = exchange_error(&refused.unwrap_err());
        assert_eq!(error.refusal(), Some(&not_bound()));
        assert_eq!(server.hits(), 0);
    }
}

#[tokio::test]
async fn a_server_without_evidence_is_refused() {
    let world = World::new();
    let server = world.serve(ServerTerms::plain()).await;
    for (mode, binding) in WEAKER {
        let party = weak(&world.server_device, binding);
        let attested = expecting(&world, mode, party, Http::Two);
        let refused = reqwest_client(&attested).get(server.url("/")).send().await;
        assert!(exchange_error(&refused.unwrap_err()).is_peer_unattested());
    }
    assert_eq!(server.hits(), 0);
}

#[tokio::test]
async fn a_client_without_certificate_or_without_evidence_is_refused() {
    let world = World::new();
    let bare: Arc<dyn ResolvesClientCert> =
        Arc::new(FixedCertificate(ForgedKey::new().certify(None)));
    for (mode, binding) in WEAKER {
        for resolver in [None, Some(bare.clone())] {
            let party = weak(&world.client_device, binding);
            let terms = ServerTerms::new().clients_attest(mode).require_peer(party);
            let refused = accept_one(&world, terms, resolver).await.unwrap_err();
            assert!(refused.is_peer_unattested(), "{mode:?}");
            assert!(refused.is_peer());
        }
    }
}

/// It may come without Evidence, not with Evidence that is wrong.
#[tokio::test]
async fn a_server_that_only_asks_refuses_wrong_evidence() {
    let world = World::new();
    let (key, other) = (ForgedKey::new(), ForgedKey::new());
    let about_other = OwnedAttestRequest::for_key(&*other.signing).unwrap();
    let evidence = attest(&world.client_device, &about_other).await;
    let resolver = Arc::new(FixedCertificate(key.certify(Some(&evidence))));
    for (mode, binding) in WEAKER {
        let party = weak(&world.client_device, binding);
        let terms = ServerTerms::new().clients_attest(mode).ask_peer(party);
        let refused = accept_one(&world, terms, Some(resolver.clone())).await;
        assert_eq!(refused.unwrap_err().refusal(), Some(&not_bound()));
    }
}

#[tokio::test]
async fn evidence_about_another_key_nonce_or_side_is_not_bound() {
    let world = World::new();
    let (key, other) = (ForgedKey::new(), ForgedKey::new());
    let nonce = [7; 32];
    for (mode, request) in [
        (
            Mode::InCertificate,
            OwnedAttestRequest::for_key(&*other.signing),
        ),
        (
            Mode::InHandshake,
            OwnedAttestRequest::for_handshake(Side::Server, &nonce, &*key.signing),
        ),
        (
            Mode::InHandshake,
            OwnedAttestRequest::for_handshake(Side::Client, &nonce, &*key.signing),
        ),
    ] {
        let evidence = attest(&world.server_device, &request.unwrap()).await;
        let error = present(&world, mode, key.certify(Some(&evidence))).await;
        assert_eq!(error.refusal(), Some(&not_bound()), "{mode:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_refused_never_gets_an_byte_of_http() {
    let world = World::new();
    for (mode, _) in WEAKER {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of(&listener);
        let party = weak(&world.server_device, Binding::Key);
        let client = reqwest_client(&expecting(&world, mode, party, Http::Two));
        let impostor = async {
            let (socket, _) = listener.accept().await.unwrap();
            let key = ForgedKey::new().certify(None);
            let tls = Arc::new(server_tls(
                &world,
                Arc::new(SingleCertAndKey::from(key.clone())),
            ));
            Link::accept(tls, socket, key).await.unwrap().drain().await
        };
        let (refused, heard) = tokio::join!(client.get(url).send(), impostor);
        assert!(exchange_error(&refused.unwrap_err()).is_peer_unattested());
        assert!(heard.is_empty(), "{mode:?}");
    }
}

#[test]
fn a_server_cannot_promise_evidence_that_nobody_makes() {
    let world = World::new();
    let terms = ServerTerms::new().attest_in_handshake();
    let refused = ServerAcceptor::new(world.server_tls(), terms).unwrap_err();
    assert!(refused.is_local());
}

#[test]
fn a_server_that_shows_its_evidence_to_everybody_cannot_hear_the_client_first() {
    let world = World::new();
    let terms = ServerTerms::new()
        .attester(world.server_device.clone())
        .require_peer(world.about_clients())
        .client_first()
        .attest_in_handshake();
    let refused = ServerAcceptor::new(world.server_tls(), terms).unwrap_err();
    assert!(refused.is_local());
}

#[test]
fn a_client_of_a_weaker_mode_must_demand_and_cannot_exchange() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let demanding = ClientTerms::new().require_peer(weak(&world.server_device, binding));
        for terms in [
            ClientTerms::new().attester(world.client_device.clone()),
            demanding.attester(world.client_device.clone()),
        ] {
            let tls = client_tls(&world, "h2", None);
            let refused = ClientConnector::new(tls, terms.servers_attest(mode)).unwrap_err();
            assert!(refused.is_local());
        }
    }
}

#[tokio::test]
async fn a_device_that_fails_in_the_handshake_ends_its_connection() {
    let world = World::new();
    let device = Arc::new(end_to_end::Broken(world.server_device.clone()));
    let terms = ServerTerms::new().attester(device).attest_in_handshake();
    let server = world.serve(terms).await;
    let party = weak(&world.server_device, Binding::Handshake);
    let attested = expecting(&world, Mode::InHandshake, party, Http::Two);
    let refused = reqwest_client(&attested).get(server.url("/")).send().await;
    assert!(refused.unwrap_err().is_connect());
    assert_eq!(server.hits(), 0);
}
