//! Redirects, proxies and sockets.

use std::sync::Arc;

use atls_core::Fault;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::Http;
use atls_reqwest::LookupError;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_tower::ServerTerms;
use end_to_end::Proxy;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::refusal;
use end_to_end::reqwest_client;

use crate::clients::configured;
use crate::clients::http1;

#[tokio::test]
async fn an_http_url_is_refused_before_a_request_is_sent() {
    let world = World::new();
    let seen = Proxy::start(None).await;
    for http in [Http::Two, Http::One, Http::Auto] {
        let client = reqwest_client(&configured(&world, http));
        let error = client
            .get(format!("http://{}/", seen.address))
            .send()
            .await
            .unwrap_err();
        assert!(refusal(&error).is_not_tls(), "{http:?}");
        assert_eq!(refusal(&error).fault(), Fault::Local);
    }
    assert_eq!(seen.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_to_http_is_refused() {
    let world = World::new();
    let server = world.serve_attested().await;
    let seen = Proxy::start(None).await;
    let client = reqwest_client(&configured(&world, Http::One));
    let request = client
        .get(server.url("/redirect"))
        .header("to", format!("http://{}/", seen.address));
    assert!(refusal(&request.send().await.unwrap_err()).is_not_tls());
    assert_eq!(seen.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_to_a_server_without_attestation_is_refused() {
    let world = World::new();
    let server = world.serve_attested().await;
    let unattested = world.serve(ServerTerms::plain()).await;
    let client = reqwest_client(&world.demanding());
    let request = client
        .get(server.url("/redirect"))
        .header("to", unattested.url("/"));
    assert!(exchange_error(&request.send().await.unwrap_err()).is_peer_unattested());
    assert_eq!(unattested.hits(), 0);
}

#[tokio::test]
async fn a_redirect_to_another_attested_server_is_attested_itself() {
    let world = World::new();
    let (server, other) = (world.serve_attested().await, world.serve_attested().await);
    let attested = world.demanding();
    let client = reqwest_client(&attested);
    let request = client
        .get(server.url("/redirect"))
        .header("to", other.url("/"));
    let response = request.send().await.unwrap();
    assert_eq!(response.url().port(), Some(other.address.port()));
    assert!(response.attestation(&attested).is_ok());
}

#[tokio::test]
async fn a_tunnel_through_a_proxy_is_attested_end_to_end() {
    let world = World::new();
    let server = world.serve_attested().await;
    for (scheme, tls) in [("http", None), ("https", Some(http1(&world)))] {
        let proxy = Proxy::start(tls).await;
        let attested = world.demanding();
        let client = reqwest::Client::builder()
            .proxy(
                reqwest::Proxy::all(format!("{scheme}://localhost:{}", proxy.address.port()))
                    .unwrap(),
            )
            .attested(&attested)
            .build()
            .unwrap();
        let response = client.get(server.url("/")).send().await.unwrap();
        assert!(response.attestation(&attested).is_ok(), "{scheme}");
        assert!(proxy.requests()[0].starts_with("CONNECT "), "{scheme}");
    }
}

#[tokio::test]
async fn a_request_in_the_clear_through_a_proxy_is_refused() {
    let world = World::new();
    for (scheme, tls) in [("http", None), ("https", Some(http1(&world)))] {
        let proxy = Proxy::start(tls).await;
        let client = reqwest::Client::builder()
            .proxy(
                reqwest::Proxy::all(format!("{scheme}://localhost:{}", proxy.address.port()))
                    .unwrap(),
            )
            .attested(&configured(&world, Http::One))
            .build()
            .unwrap();
        let error = client.get("http://localhost:9/").send().await.unwrap_err();
        assert!(refusal(&error).is_not_tls(), "{scheme}: {error:?}");
        assert_eq!(proxy.requests(), Vec::<String>::new(), "{scheme}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_is_attested_and_its_responses_are_unknown() {
    let world = World::new();
    let server = world.serve_attested().await;
    let path = std::env::temp_dir().join(format!(
        "atls-{}-{}",
        std::process::id(),
        server.address.port()
    ));
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let address = server.address;
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = tokio::net::TcpStream::connect(address).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let attested = world.demanding();
    let builder = reqwest::Client::builder().unix_socket(path.clone());
    let client = builder.attested(&attested).build().unwrap();
    let response = client.get("https://localhost/").send().await.unwrap();
    // It has no addresses, by which alone a connection could be found.
    assert_eq!(
        response.attestation(&attested).unwrap_err(),
        LookupError::Unknown
    );
    assert_eq!(response.text().await.unwrap(), "hello");
    // But it was attested: another verifier would not have it.
    let stranger = end_to_end::lenient(&atls_sim::SimAttester::generate().unwrap())
        .build()
        .unwrap();
    let stranger = world
        .client()
        .require_peer(Arc::new(stranger))
        .build()
        .unwrap();
    let builder = reqwest::Client::builder().unix_socket(path.clone());
    let client = builder.attested(&stranger).build().unwrap();
    let refused = client.get("https://localhost/").send().await.unwrap_err();
    assert!(exchange_error(&refused).refusal().is_some());
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn an_attested_proxy_does_not_stand_for_its_target() {
    // The proxy itself speaks attested TLS; the target is an ordinary server behind it.
    let world = World::new();
    let proxy = world.serve_attested().await;
    let client = reqwest::Client::builder()
        .proxy(reqwest::Proxy::all(format!("https://localhost:{}", proxy.address.port())).unwrap())
        .attested(&configured(&world, Http::One))
        .build()
        .unwrap();
    assert!(client.get("http://localhost:9/").send().await.is_err());
    assert_eq!(proxy.hits(), 0);
}
