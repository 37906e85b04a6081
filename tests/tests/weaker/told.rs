//! The log of refusals: one event at the end that refuses, with the reason, in either weaker mode as in the default one.

use atls_core::Binding;
use atls_reqwest::Http;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::reqwest_client;
use end_to_end::weak;
use test_support::Log;
use tokio::net::TcpStream;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::support::WEAKER;
use crate::support::accept_one;
use crate::support::attesting_client;
use crate::support::client_tls;
use crate::support::expecting;
use crate::support::serve;

#[tokio::test]
async fn a_client_that_refuses_a_server_says_so_once() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let server = serve(&world, mode).await;
        let stranger = weak(&world.client_device, binding);
        for (party, reason) in [
            (stranger, "unknown_key"),
            (world.about_servers(), "policy_binding"),
        ] {
            let (log, _guard) = Log::start(ours());
            let attested = expecting(&world, mode, party.clone(), Http::Two);
            let client = reqwest_client(&attested);
            client.get(server.url("/")).send().await.unwrap_err();
            assert_one(&log, "client", reason);

            let terms = ClientTerms::new().require_peer(party).servers_attest(mode);
            let tls = client_tls(&world, "h2", None);
            let connector = ClientConnector::new(tls, terms).unwrap();
            let socket = TcpStream::connect(server.address).await.unwrap();
            let name = "localhost".try_into().unwrap();
            connector.connect(name, socket).await.unwrap_err();
            assert_one(&log, "client", reason);
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_a_client_says_so_once() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let (resolver, _) = attesting_client(&world, mode, binding).await;
        let stranger = weak(&world.client_device, binding);
        let (other, own) = attesting_client(&world, mode, Binding::Connection).await;
        for (resolver, party, reason) in [
            (Some(resolver), stranger.clone(), "unknown_key"),
            (Some(other), own, "policy_binding"),
            (None, stranger, "unattested"),
        ] {
            let (log, _guard) = Log::start(ours());
            let terms = ServerTerms::plain()
                .clients_attest(mode)
                .require_peer(party);
            let refused = accept_one(&world, terms, resolver).await;
            assert_eq!(refused.unwrap_err().reason(), reason, "{mode:?}");
            assert_one(&log, "server", reason);
        }
    }
}

/// One event, of this side and for this reason.
fn assert_one(log: &Log, side: &str, reason: &str) {
    let mut events = log.take();
    events.retain(|event| event.contains(&format!("side=\"{side}\"")));
    let [event] = &events[..] else {
        panic!("{reason}: {events:#?}");
    };
    assert!(
        event.contains(&format!("error.type=\"{reason}\"")),
        "{event}"
    );
    assert!(event.contains("fault=peer"), "{event}");
}

/// All that is told, but for whole accounts, which have many lines.
fn ours() -> Targets {
    Targets::new()
        .with_target("atls", LevelFilter::TRACE)
        .with_target("atls_tower::refusal", LevelFilter::OFF)
}
