//! The versions of HTTP and the settings of reqwest.

use atls_core::Fault;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_tower::ServerTerms;
use end_to_end::World;
use end_to_end::refusal;
use end_to_end::reqwest_client;

use crate::clients::configured;

#[tokio::test]
async fn speaks_the_http_that_it_is_told_to() {
    let world = World::new();
    let server = world.serve_attested().await;
    for (http, version) in [
        (Http::Two, reqwest::Version::HTTP_2),
        (Http::One, reqwest::Version::HTTP_11),
        (Http::Auto, reqwest::Version::HTTP_2),
    ] {
        let attested = configured(&world, http);
        let response = reqwest_client(&attested)
            .get(server.url("/"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.version(), version);
        assert!(response.attestation(&attested).is_ok());
    }
}

#[tokio::test]
async fn auto_speaks_http_1_to_a_server_that_has_nothing_else() {
    let world = World::new();
    let mut tls = world.server_tls();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve_with(terms, tls).await;
    let attested = configured(&world, Http::Auto);
    let response = reqwest_client(&attested)
        .get(server.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_11);
}

#[tokio::test]
async fn a_server_without_the_clients_http_is_refused_with_words() {
    let world = World::new();
    for (served, insisted) in [("http/1.1", Http::Two), ("h2", Http::One)] {
        let mut tls = world.server_tls();
        tls.alpn_protocols = vec![served.as_bytes().to_vec()];
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let server = world.serve_with(terms, tls).await;
        let client = reqwest_client(&configured(&world, insisted));
        let refused = refusal(&client.get(server.url("/")).send().await.unwrap_err());
        assert!(refused.is_http_version(), "{refused:?}");
        assert_eq!(refused.fault(), Fault::Local);
        let client = reqwest_client(&configured(&world, Http::Auto));
        assert!(client.get(server.url("/")).send().await.is_ok(), "{served}");
    }
}

#[tokio::test]
async fn a_setting_of_reqwest_that_contradicts_ours_is_refused_with_words() {
    let world = World::new();
    let server = world.serve_attested().await;
    for (set, configured_for) in [
        (reqwest::Client::builder().http1_only(), Http::Two),
        (reqwest::Client::builder().http1_only(), Http::Auto),
        (
            reqwest::Client::builder().http2_prior_knowledge(),
            Http::One,
        ),
    ] {
        let client = set.attested(&configured(&world, configured_for)).build();
        let refused = client.unwrap().get(server.url("/")).send().await;
        let refused = refusal(&refused.unwrap_err());
        assert!(refused.is_http_version(), "{refused:?}");
    }
    assert_eq!(server.hits(), 0);
    let agreeing = reqwest::Client::builder().http1_only();
    let client = agreeing.attested(&configured(&world, Http::One)).build();
    assert!(client.unwrap().get(server.url("/")).send().await.is_ok());
}
