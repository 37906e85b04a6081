//! A stock reqwest client: every way in which a request could leave the attested path.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_core::Fault;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::Http;
use atls_reqwest::LookupError;
use atls_reqwest::ResponseExt;
use atls_reqwest::reqwest;
use atls_reqwest::reqwest::ResponseBuilderExt;
use atls_reqwest::rustls;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Proxy;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::refusal;
use end_to_end::reqwest_client;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

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

#[tokio::test]
async fn every_response_of_a_burst_has_its_connections_attestation() {
    for http in [Http::Two, Http::One, Http::Auto] {
        let world = World::new();
        let server = world.serve_attested().await;
        let attested = configured(&world, http);
        let client = reqwest_client(&attested);
        let requests: Vec<_> = (0..20)
            .map(|_| tokio::spawn(client.get(server.url("/")).send()))
            .collect();
        for request in requests {
            let response = request.await.unwrap().unwrap();
            assert!(response.attestation(&attested).is_ok(), "{http:?}");
        }
        assert_eq!(server.hits(), 20);
    }
}

#[tokio::test]
async fn a_burst_over_http_2_attests_once() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let client = reqwest_client(&world.demanding());
    let requests: Vec<_> = (0..20)
        .map(|_| tokio::spawn(client.get(server.url("/")).send()))
        .collect();
    gate.reached_by(1).await;
    gate.open();
    for request in requests {
        assert!(request.await.unwrap().is_ok());
    }
    assert_eq!(gate.waiting(), 0, "a second connection was attested");
}

#[tokio::test]
async fn a_connect_that_finishes_in_the_background_is_attested_too() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let attested = configured(&world, Http::One);
    let client = reqwest_client(&attested);
    let first = tokio::spawn(client.get(server.url("/")).send());
    gate.reached_by(1).await;
    let second = tokio::spawn(client.get(server.url("/")).send());
    gate.reached_by(1).await;
    gate.open();
    for response in [first, second] {
        let response = response.await.unwrap().unwrap();
        assert!(response.attestation(&attested).is_ok());
        response.text().await.unwrap();
    }
    let third = client.get(server.url("/")).send().await.unwrap();
    assert!(third.attestation(&attested).is_ok());
}

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

#[tokio::test]
async fn a_server_of_tls_1_2_is_refused() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = rustls::ServerConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let accepted = tokio::spawn(async move {
        acceptor
            .accept(listener.accept().await.unwrap().0)
            .await
            .map(drop)
    });
    let client = reqwest_client(&world.demanding());
    let error = client
        .get(format!("https://localhost:{port}/"))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert!(accepted.await.unwrap().is_err());
}

#[tokio::test]
async fn tickets_are_never_used() {
    // A server of somebody else's, that gives tickets and would resume: every connection is full all the same.
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tls = world.server_tls();
    tls.send_tls13_tickets = 4;
    let (tls, key, device) = (
        Arc::new(tls),
        world.stolen_key(),
        world.server_device.clone(),
    );
    let kinds = tokio::spawn(async move {
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let (socket, _) = listener.accept().await.unwrap();
            let mut link = Link::accept(tls.clone(), socket, key.clone())
                .await
                .unwrap();
            let tokio_rustls::TlsStream::Server(stream) = &link.tls else {
                panic!("a server")
            };
            kinds.push(stream.get_ref().1.handshake_kind());
            let (_, request) = link.read().await.unwrap();
            let challenge = atls_core::exchange::Challenge::receive(&link, &request).unwrap();
            let cmw = atls_core::Attester::attest(&*device, challenge.to_attest().unwrap())
                .await
                .unwrap();
            link.write(adversary::AUTHENTICATOR, &challenge.answer(&cmw).unwrap())
                .await
                .unwrap();
            link.read().await.unwrap();
            let io = TokioIo::new(link.tls);
            let app = axum::Router::new().route("/", axum::routing::get(async || "hello"));
            let app = hyper_util::service::TowerToHyperService::new(app);
            let connection = hyper::server::conn::http1::Builder::new();
            connection.serve_connection(io, app).await.unwrap();
        }
        kinds
    });
    let client = reqwest_client(&configured(&world, Http::One));
    for _ in 0..2 {
        let request = client
            .get(format!("https://localhost:{port}/"))
            .header("connection", "close");
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), "hello");
    }
    assert_eq!(kinds.await.unwrap(), [Some(rustls::HandshakeKind::Full); 2]);
}

#[tokio::test]
async fn an_ordinary_https_server_is_named_as_such() {
    let world = World::new();
    for (http, alpn) in [(Http::Two, "h2"), (Http::One, "http/1.1")] {
        let port = end_to_end::ordinary_server(&world, alpn).await;
        let client = reqwest_client(&configured(&world, http));
        let error = client
            .get(format!("https://localhost:{port}/"))
            .send()
            .await
            .unwrap_err();
        assert!(
            exchange_error(&error).is_not_attested_tls(),
            "{alpn}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_stalled_server_is_given_up_by_our_own_deadline() {
    let world = World::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: Gate::new(),
    };
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let builder = world.client().require_peer(world.about_servers());
    let attested = builder
        .deadline(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = reqwest_client(&attested)
        .get(server.url("/"))
        .send()
        .await
        .unwrap_err();
    assert!(exchange_error(&error).is_timeout());
    // And one that does not even answer in TLS.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}/", silent.local_addr().unwrap().port());
    let error = reqwest_client(&attested).get(url).send().await.unwrap_err();
    assert!(refusal(&error).is_timeout());
}

#[tokio::test]
async fn the_applications_connect_timeout_covers_attestation() {
    let world = World::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: Gate::new(),
    };
    let server = world
        .serve(ServerTerms::new().attester(Arc::new(device)))
        .await;
    let builder = reqwest::Client::builder().connect_timeout(Duration::from_millis(200));
    let client = builder.attested(&world.demanding()).build().unwrap();
    let error = client.get(server.url("/")).send().await.unwrap_err();
    assert!(error.is_connect() && error.is_timeout());
}

#[tokio::test]
async fn a_response_of_another_client_has_no_attestation() {
    let world = World::new();
    let server = world.serve_attested().await;
    let (ours, other) = (world.demanding(), world.demanding());
    let response = reqwest_client(&ours)
        .get(server.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        response.attestation(&other).unwrap_err(),
        LookupError::Unknown
    );
    let plain = world
        .plain_client(&["h2"])
        .get(server.url("/"))
        .send()
        .await
        .unwrap();
    assert_eq!(plain.attestation(&ours).unwrap_err(), LookupError::Unknown);
}

/// As where a proxy's connection ends, and its addresses are used again for another server.
#[tokio::test]
async fn a_response_of_another_server_over_the_same_addresses_has_no_attestation() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let genuine = reqwest_client(&attested).get(server.url("/")).send().await;
    let genuine = genuine.unwrap();
    assert!(genuine.attestation(&attested).is_ok());
    for (url, known) in [
        (server.url("/other"), true),
        ("https://other.example/".to_owned(), false),
    ] {
        let mut same = http::Response::builder()
            .url(url.parse().unwrap())
            .body("")
            .unwrap();
        same.extensions_mut().extend(genuine.extensions().clone());
        let same = reqwest::Response::from(same);
        assert_eq!(same.attestation(&attested).is_ok(), known, "{url}");
    }
}

#[tokio::test]
async fn settings_made_afterwards_break_the_client_and_never_open_it() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    // Another TLS configuration: nothing is observed of it.
    let client = reqwest::Client::builder()
        .attested(&attested)
        .tls_backend_preconfigured(world.client_tls(&["h2"]))
        .build()
        .unwrap();
    assert!(refusal(&client.get(server.url("/")).send().await.unwrap_err()).is_not_tls());
    // Another HTTP version than was agreed.
    let client = reqwest::Client::builder()
        .attested(&attested)
        .http1_only()
        .build()
        .unwrap();
    let response = client.get(server.url("/")).send().await;
    if let Ok(response) = response {
        assert!(
            response.attestation(&attested).is_ok(),
            "it went over an attested connection"
        );
    }
}

#[tokio::test]
async fn one_configuration_serves_several_clients() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    for _ in 0..2 {
        let client = reqwest_client(&attested.clone());
        let response = client.get(server.url("/")).send().await.unwrap();
        assert!(response.attestation(&attested).is_ok());
    }
}

#[test]
fn the_blocking_client_is_attested_too() {
    let world = World::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(world.serve_attested());
    let unattested = runtime.block_on(world.serve(ServerTerms::plain()));
    let attested = world.demanding();
    let client = reqwest::blocking::Client::builder()
        .attested(&attested)
        .build()
        .unwrap();
    let response = client.get(server.url("/")).send().unwrap();
    assert!(response.attestation(&attested).is_ok());
    assert_eq!(response.text().unwrap(), "hello");
    let error = client.get(unattested.url("/")).send().unwrap_err();
    assert!(exchange_error(&error).is_peer_unattested());
}

#[tokio::test]
async fn a_client_with_a_tls_certificate_attests_under_its_key() {
    let world = World::new();
    let roots = Arc::new(world.authority.roots().unwrap());
    let clients =
        rustls::server::WebPkiClientVerifier::builder_with_provider(roots, demo::provider());
    let mut tls = rustls::ServerConfig::builder_with_details(demo::provider(), world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server: Served = world
        .serve_with(terms.require_peer(world.about_clients()), tls)
        .await;
    let certificate = end_to_end::load(&world.authority.issue_client().unwrap());
    let resolver = rustls::sign::SingleCertAndKey::from(certificate);
    let builder = world.client().require_peer(world.about_servers());
    let attested = builder
        .attester(world.client_device.clone())
        .client_certificate(Arc::new(resolver))
        .build()
        .unwrap();
    let response = reqwest_client(&attested)
        .get(server.url("/peer"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.text().await.unwrap(), "affirming");
    // Without the certificate TLS itself refuses.
    let refused = reqwest_client(&world.mutual())
        .get(server.url("/"))
        .send()
        .await;
    assert!(refused.is_err());
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn nothing_of_a_connection_is_printed() {
    let world = World::new();
    let server = world.serve_attested().await;
    let attested = world.demanding();
    let client = reqwest_client(&attested);
    client.get(server.url("/")).send().await.unwrap();
    let printed = format!("{attested:?} {client:?}");
    assert!(!printed.contains("secret"), "{printed}");
}

fn configured(world: &World, http: Http) -> Attested {
    let builder = world.client().require_peer(world.about_servers());
    builder.http(http).build().unwrap()
}

fn http1(world: &World) -> rustls::ServerConfig {
    let mut tls = world.server_tls();
    tls.alpn_protocols = Vec::new();
    tls
}
