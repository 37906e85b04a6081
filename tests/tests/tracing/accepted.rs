//! Connections that were accepted.

use atls_reqwest::Attested;
use end_to_end::World;
use end_to_end::reqwest_client;

use crate::log::assert_one;
use crate::log::capture;
use crate::log::of;

#[tokio::test]
async fn a_success_names_platform_image_binding_and_the_time_left() {
    let (log, _guard) = capture();
    let world = World::new();
    let server = world.serve_attested().await;
    let client = reqwest_client(&world.demanding());
    client.get(server.url("/")).send().await.unwrap();
    let events = log.take();
    let (clients, servers): (Vec<_>, Vec<_>) = events
        .into_iter()
        .partition(|event| event.contains("side=\"client\""));
    let words = [
        "peer is attested",
        "platform=application/eat+cwt",
        "image=SimAttester::SOFTWARE",
        "status=affirming",
        "binding=connection",
        r#"tls.cipher="TLS_AES_256_GCM_SHA384""#,
        "leaf_scheme=ECDSA_NISTP256_SHA256",
        "valid_for_s=3600",
    ];
    assert_one(&clients, "INFO", &words);
    let words = [
        "side=\"server\"",
        "network.peer.address=127.0.0.1",
        "without attestation",
    ];
    assert_one(&servers, "DEBUG", &words);
}

/// reqwest knows the group only where it had no choice.
#[tokio::test]
async fn a_success_names_the_group_where_it_is_known() {
    let (log, _guard) = capture();
    let world = World::new();
    let server = world.serve_attested().await;
    for (provider, known) in [(demo::provider(), false), (demo::hybrid_provider(), true)] {
        let attested = Attested::builder(provider)
            .roots(world.authority.roots().unwrap())
            .time_provider(world.clock.clone())
            .require_peer(world.about_servers())
            .build()
            .unwrap();
        let client = reqwest_client(&attested);
        client.get(server.url("/")).send().await.unwrap();
        let events = of(&log, "client");
        assert_one(&events, "INFO", &["peer is attested"]);
        assert_eq!(events[0].contains("tls.curve=X25519MLKEM768"), known);
    }
}
