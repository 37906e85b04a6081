//! Peers and requests that were refused.

use atls_axum::AttestedListener;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use end_to_end::World;
use end_to_end::reqwest_client;
use end_to_end::time::settle;
use end_to_end::time::until;
use test_support::Log;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::log::assert_one;
use crate::log::capture;
use crate::log::of;
use crate::log::requiring;
use crate::scenes::ask_a_server_of_unknown_software;
use crate::scenes::behind_a_balancer;

#[tokio::test]
async fn a_refusal_says_the_last_cause() {
    let (log, _guard) = capture();
    let world = World::new();
    let stranger = World::new().server_device;
    let server = world.serve(ServerTerms::new().attester(stranger)).await;
    let client = reqwest_client(&world.demanding());
    client.get(server.url("/")).send().await.unwrap_err();
    let events = of(&log, "client");
    let words = [
        "peer's attestation was refused: appraisal failed: evidence is signed by an unknown key",
        "fault=peer",
    ];
    assert_one(&events, "WARN", &words);
    // Neither a binder nor Evidence, a certificate or a name in it: nothing that is long and random.
    for word in events[0].split(|c: char| !c.is_ascii_alphanumeric()) {
        let random = word.len() >= 32 && word.chars().any(|c| c.is_ascii_digit());
        assert!(!random, "{word} in {events:?}");
    }
}

/// As a service in production has it: spans of lower levels than the filter's would be gone.
#[tokio::test]
async fn a_refusal_at_info_says_who_refused_whom_and_why() {
    let ours = Targets::new().with_default(LevelFilter::INFO);
    let (log, _guard) = Log::start(ours);
    let world = World::new();
    let server = requiring(&world).await;
    let stranger = World::new().client_device;
    let attested = world.client().require_peer(world.about_servers());
    let attested = attested.attester(stranger).build().unwrap();
    let client = reqwest_client(&attested);
    client.get(server.url("/")).send().await.unwrap_err();
    let mut events = log.take();
    // The client has its verdict first.
    until("an event of the server", || {
        events.extend(log.take());
        let mut told = events.iter();
        told.any(|event| event.contains("side=\"server\""))
    })
    .await;
    settle().await;
    events.extend(log.take());
    let (clients, servers): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| event.contains("side=\"client\""));
    let words = [
        "side=\"server\"",
        "network.peer.address=127.0.0.1 network.peer.port=",
        "error.type=\"unknown_key\"",
        "fault=peer",
    ];
    assert_one(&servers, "WARN", &words);
    let words = [
        "server.address=\"localhost\"",
        "error.type=\"refused_by_peer\"",
        "fault=peer",
    ];
    assert_one(&clients, "WARN", &words);
}

#[tokio::test]
async fn addresses_are_left_out_by_a_filter_of_their_own() {
    let ours = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("atls_axum::connection", LevelFilter::OFF);
    let (log, _guard) = Log::start(ours);
    let world = World::new();
    let server = requiring(&world).await;
    let client = world.plain_client(&["h2", "http/1.1"]);
    client.get(server.url("/")).send().await.unwrap();
    let events = of(&log, "server");
    assert_one(&events, "INFO", &["peer did not attest"]);
    assert!(!events[0].contains("127.0.0.1"), "{events:?}");
}

#[tokio::test]
async fn a_client_behind_a_load_balancer_is_named_beside_it() {
    let (log, _guard) = capture();
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let (listener, url) = behind_a_balancer(&world, terms).await;
    tokio::spawn(async move { atls_axum::serve(listener, Router::new()).await });
    let client = reqwest_client(&world.demanding());
    client.get(url).send().await.unwrap();
    let words = [
        "network.peer.address=127.0.0.1",
        "client.address=192.0.2.7 client.port=7",
    ];
    assert_one(&of(&log, "server"), "DEBUG", &words);
}

#[tokio::test]
async fn a_listener_that_is_full_says_so_once_and_not_with_each_client() {
    let (log, _guard) = capture();
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = AttestedListener::builder(acceptor)
        .connections(1)
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().port());
    let app = Router::new().fallback(async || "hello");
    tokio::spawn(async move { atls_axum::serve(listener, app).await });
    // Each has a connection of its own, which leaves with it.
    for _ in 0..3 {
        let client = reqwest_client(&world.demanding());
        client.get(&url).send().await.unwrap().text().await.unwrap();
    }
    let mut events = log.take();
    events.retain(|event| event.contains("as the limit allows"));
    assert_one(&events, "WARN", &["further ones wait"]);
}

#[tokio::test]
async fn an_unknown_image_is_told_with_what_was_seen_and_what_is_allowed() {
    let (log, _guard) = capture();
    ask_a_server_of_unknown_software().await;
    let seen = atls_sim::SimAttester::SOFTWARE.map(|byte| format!("{byte:02x}"));
    let allowed = format!("allowed are web 1.4 ({})", "04".repeat(32));
    let words = ["sim.software", &seen.concat(), &allowed, "fault=peer"];
    assert_one(&of(&log, "client"), "INFO", &words);
}

#[tokio::test]
async fn the_report_of_a_reqwest_error_reaches_the_last_cause() {
    let world = World::new();
    let device = World::new().server_device;
    let server = world.serve(ServerTerms::new().attester(device)).await;
    let client = reqwest_client(&world.demanding());
    let error = client.get(server.url("/")).send().await.unwrap_err();
    let cause =
        "peer's attestation was refused: appraisal failed: evidence is signed by an unknown key";
    let whole = atls_core::report(&error).to_string();
    assert!(whole.contains(cause), "{whole}");
    assert_eq!(whole.matches("appraisal failed").count(), 1, "{whole}");
    let refusal = atls_reqwest::Error::of(&error).unwrap();
    assert!(refusal.report().to_string().starts_with(cause), "{refusal}");
}
