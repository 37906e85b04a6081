//! What a server reads anew holds for connections that stand: each is attested anew, and who no longer passes is gone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_nitro::NitroAttester;
use atls_nitro::NitroPolicy;
use atls_nitro::NitroVerifier;
use atls_nitro::testing::ForgedNitro;
use atls_reference::Live;
use atls_tower::AttestedHttps;
use atls_tower::Blocking;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use axum::Router;
use axum::routing::get;
use end_to_end::World;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::time_provider::TimeProvider;

use crate::support::HyperClient;
use crate::support::about_servers;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::hyper_client;
use crate::support::mutual;
use crate::support::serve;
use crate::support::uri;

const WITHIN: Duration = Duration::from_secs(20);
const AT_MOST: usize = 100;

#[tokio::test]
async fn a_client_whose_image_the_new_reference_values_do_not_have_is_served_no_more() {
    for alpn in ["h2", "http/1.1"] {
        let world = World::new();
        let forger = Arc::new(ForgedNitro::new(world.clock.current_time().unwrap()));
        let known = NitroPolicy::new(vec![ForgedNitro::image()]);
        let policy = Arc::new(Live::fixed(known).unwrap());
        let verifier = NitroVerifier::dangerous_with_root(forger.root(), policy.clone());
        let clients = RelyingParty::builder()
            .verifier(Arc::new(verifier))
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
        let terms = attested(&world).require_peer(Arc::new(clients.build().unwrap()));
        let acceptor = acceptor(&world, terms);
        let address = serve(acceptor.clone(), hello()).await;
        let device = NitroAttester::over(ForgedNitro::device(&forger)).unwrap();
        let terms = ClientTerms::new()
            .require_peer(about_servers(&world))
            .attester(Arc::new(Blocking::spawn(device).unwrap()));
        let connector = ClientConnector::new(world.client_tls(&[alpn]), terms).unwrap();
        let https = AttestedHttps::new(connector);
        let client: HyperClient = Client::builder(TokioExecutor::new()).build(https);
        assert!(is_served(&client, address).await);
        let mut other = ForgedNitro::image();
        other.pcr0 = Some([0xee; 48].into());
        policy.replace(NitroPolicy::new(vec![other])).unwrap();
        // Values that were read anew say nothing to a connection that stands.
        assert!(is_served(&client, address).await);
        acceptor.recall(WITHIN);
        is_gone(&client, address).await;
    }
}

#[tokio::test]
async fn another_certificate_holds_for_new_connections() {
    let world = World::new();
    let acceptor = acceptor(&world, mutual(&world));
    let address = serve(acceptor.clone(), hello()).await;
    let client = hyper_client(&world, "h2");
    assert!(is_served(&client, address).await);
    // Of an authority that the client does not trust, so that it can tell.
    let strange = World::new().server_tls();
    acceptor.replace(strange, mutual(&world), WITHIN).unwrap();
    is_gone(&client, address).await;
}

#[tokio::test]
async fn another_attester_holds_for_new_connections() {
    let world = World::new();
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor.clone(), hello()).await;
    let client = hyper_client(&world, "h2");
    assert!(is_served(&client, address).await);
    // A device that the client does not know, so that it can tell.
    replace_device(&world, &acceptor);
    is_gone(&client, address).await;
}

fn replace_device(world: &World, acceptor: &ServerAcceptor) {
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let strange = attested(&World::new());
    acceptor.replace(tls, strange, WITHIN).unwrap();
}

/// Requests that cross with the goodbye still go the old way.
async fn is_gone(client: &HyperClient, address: SocketAddr) {
    for _ in 0..AT_MOST {
        if !is_served(client, address).await {
            assert!(!is_served(client, address).await);
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the client is still served");
}

async fn is_served(client: &HyperClient, address: SocketAddr) -> bool {
    let Ok(response) = client.get(uri(address)).await else {
        return false;
    };
    let is_served = response.status() == 200;
    response.into_body().collect().await.unwrap();
    is_served
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}
