//! The two weaker modes, over real sockets: who speaks them, what they are bound to, and what is refused all the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use adversary::Link;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::Fault;
use atls_core::OwnedAttestRequest;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Side;
use atls_reqwest::Attested;
use atls_reqwest::Http;
use atls_reqwest::ResponseExt;
use atls_sim::SimAttester;
use atls_tower::AttestedHttps;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::InCertificate;
use atls_tower::weaker::InHandshake;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_client;
use atls_tower::weaker::dangerous_any_server;
use end_to_end::ForgedKey;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::exchange_error;
use end_to_end::lenient;
use end_to_end::reqwest_client;
use end_to_end::weak;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

const LIFETIME: Duration = Duration::from_secs(600);
const WEAKER: [(Mode, Binding); 2] = [
    (Mode::InCertificate, Binding::Key),
    (Mode::InHandshake, Binding::Handshake),
];

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
            let response = client.get(server.url("/").parse().unwrap()).await.unwrap();
            let peer: &Arc<PeerAttestation> = response.extensions().get().unwrap();
            assert_eq!(peer.binding(), binding);
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, "hello");
        }
    }
}

#[tokio::test]
async fn an_axum_handler_sees_what_a_client_of_either_mode_is_bound_to() {
    let world = World::new();
    let plain = ServerTerms::new();
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
async fn the_default_policy_refuses_servers_of_either_mode() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let server = serve(&world, mode).await;
        let attested = expecting(&world, mode, world.about_servers(), Http::Two);
        let refused = reqwest_client(&attested).get(server.url("/")).send().await;
        let violation = Refusal::Policy(PolicyViolation::Binding(binding));
        let error = exchange_error(&refused.unwrap_err());
        assert_eq!(error.refusal(), Some(&violation));
        assert_eq!(server.hits(), 0);
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
    let server = world.serve(ServerTerms::new()).await;
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
    let bare: Arc<dyn ResolvesClientCert> = Arc::new(One(ForgedKey::new().certify(None)));
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

/// It may come without Evidence, not with Evidence that is wrong.
#[tokio::test]
async fn a_server_that_only_asks_refuses_wrong_evidence() {
    let world = World::new();
    let (key, other) = (ForgedKey::new(), ForgedKey::new());
    let about_other = OwnedAttestRequest::for_key(&*other.signing).unwrap();
    let evidence = attest(&world.client_device, &about_other).await;
    let resolver = Arc::new(One(key.certify(Some(&evidence))));
    for (mode, binding) in WEAKER {
        let party = weak(&world.client_device, binding);
        let terms = ServerTerms::new().clients_attest(mode).ask_peer(party);
        let refused = accept_one(&world, terms, Some(resolver.clone())).await;
        assert_eq!(refused.unwrap_err().refusal(), Some(&not_bound()));
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

/// In neither direction is there HTTP before the decision: the verifier is held, and the server hears nothing.
#[tokio::test]
async fn a_server_hears_nothing_of_http_while_it_is_appraised() {
    let world = World::new();
    for (mode, binding) in WEAKER {
        let server = serve(&world, mode).await;
        let gate = Gate::new();
        let verifier = Gated {
            inner: atls_sim::SimVerifier::trusting(world.server_device.trust_anchor()),
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

#[tokio::test]
async fn a_server_that_is_refused_never_gets_an_octet_of_http() {
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

#[tokio::test]
async fn a_client_hello_in_pieces_is_refused_where_its_nonce_is_needed() {
    let world = World::new();
    // The records hold 32 octets, and the random ends with the 38th.
    for (size, served) in [(32 + 5, false), (64 + 5, true)] {
        let mut tls = client_tls(&world, "http/1.1", None);
        tls.max_fragment_size = Some(size);
        let terms = terms(&world, Mode::InHandshake);
        let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
        let (near, far) = sockets().await;
        let party = weak(&world.server_device, Binding::Handshake);
        let terms = ClientTerms::new()
            .require_peer(party)
            .servers_attest(Mode::InHandshake);
        let connector = ClientConnector::new(tls, terms).unwrap();
        let name = "localhost".try_into().unwrap();
        let client = async { connector.connect(name, near).await.map(drop) };
        let (connected, accepted) = tokio::join!(client, acceptor.accept(far));
        assert_eq!(connected.is_ok(), served);
        let error = accepted.unwrap_err();
        assert_eq!(
            error.protocol() == Some(&atls_core::ProtocolError::Malformed),
            !served
        );
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
async fn a_result_ends_with_the_certificate_that_carried_it() {
    let world = World::new();
    let server = serve(&world, Mode::InCertificate).await;
    let party = weak(&world.server_device, Binding::Key);
    let attested = expecting(&world, Mode::InCertificate, party, Http::Two);
    let response = reqwest_client(&attested).get(server.url("/")).send().await;
    let peer = response.unwrap().attestation(&attested).unwrap();
    let now = world.clock.current_time().unwrap();
    assert_eq!(peer.valid_for(now), LIFETIME);
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let world = World::new();
    let identity = in_certificate(&world, world.server_device.clone()).await;
    let key = ResolvesClientCert::resolve(&*identity, &[], &[]).unwrap();
    world.clock.advance(LIFETIME);
    let error = present(&world, Mode::InCertificate, key).await;
    assert_eq!(error.refusal(), Some(&Refusal::Expired(Fault::Peer)));
}

#[tokio::test]
async fn a_server_whose_certificate_ended_serves_nobody() {
    let world = World::new();
    let server = serve(&world, Mode::InCertificate).await;
    world.clock.advance(LIFETIME);
    let party = weak(&world.server_device, Binding::Key);
    let attested = expecting(&world, Mode::InCertificate, party, Http::Two);
    let refused = reqwest_client(&attested).get(server.url("/")).send().await;
    assert!(refused.unwrap_err().is_connect());
    assert!(
        attesting_plainly(&world, None)
            .get(server.url("/"))
            .send()
            .await
            .is_err()
    );
    assert_eq!(server.hits(), 0);
}

/// A device that can be unplugged.
struct Plugged {
    device: Arc<SimAttester>,
    works: std::sync::atomic::AtomicBool,
}

impl Plugged {
    fn works(&self, works: bool) {
        self.works.store(works, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Attester for Plugged {
    fn media_types(&self) -> &[atls_core::MediaType] {
        Attester::media_types(&*self.device)
    }

    fn attest<'a>(
        &'a self,
        request: atls_core::AttestRequest<'a>,
    ) -> atls_core::BoxFuture<'a, Result<atls_core::cmw::Cmw, atls_core::AttestError>> {
        if self.works.load(std::sync::atomic::Ordering::SeqCst) {
            Attester::attest(&*self.device, request)
        } else {
            Box::pin(async { Err(atls_core::AttestError::Busy) })
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_certificate_is_renewed_half_way_and_keeps_serving_while_the_device_fails() {
    let world = World::new();
    let device = Arc::new(Plugged {
        device: world.server_device.clone(),
        works: true.into(),
    });
    let identity = in_certificate(&world, device.clone()).await;
    let current = || ResolvesClientCert::resolve(&*identity, &[], &[]);
    let pass = async |time: Duration| {
        world.clock.advance(time);
        // The task's timer is behind this one by what it takes to be scheduled.
        tokio::time::sleep(time + Duration::from_millis(1)).await;
    };
    let first = current().unwrap();
    pass(LIFETIME / 2 - Duration::from_secs(10)).await;
    assert!(Arc::ptr_eq(&first, &current().unwrap()));
    pass(Duration::from_secs(10)).await;
    let second = current().unwrap();
    assert_ne!(first.cert, second.cert);
    assert_ne!(
        first.key.public_key().unwrap().as_ref(),
        second.key.public_key().unwrap().as_ref()
    );
    // The device fails: the old one serves to its end,
    device.works(false);
    pass(LIFETIME - Duration::from_secs(10)).await;
    assert!(Arc::ptr_eq(&second, &current().unwrap()));
    pass(Duration::from_secs(10)).await;
    // then none,
    assert!(current().is_none());
    // until the device works again.
    device.works(true);
    pass(LIFETIME / 8).await;
    assert!(current().is_some());
}

#[tokio::test]
async fn a_lifetime_too_short_to_be_renewed_is_refused() {
    let world = World::new();
    let short = InCertificate::SHORTEST - Duration::from_secs(1);
    let refused =
        InCertificate::new(world.server_device.clone(), tls(&world), Vec::new(), short).await;
    assert!(refused.unwrap_err().is_local());
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

/// All that it costs to make a device work is a ClientHello: no more of them at once than exchanges.
#[tokio::test]
async fn handshakes_that_want_evidence_wait_for_their_turn() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new()
        .attester(Arc::new(device))
        .attest_in_handshake()
        .at_once(1, 1);
    let server = world.serve(terms).await;
    let party = weak(&world.server_device, Binding::Handshake);
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let attested = expecting(&world, Mode::InHandshake, party.clone(), Http::Two);
            tokio::spawn(reqwest_client(&attested).get(server.url("/")).send())
        })
        .collect();
    gate.reached_by(1).await;
    assert_eq!(gate.waiting(), 0, "a second one is at the device");
    gate.open();
    for client in clients {
        assert!(client.await.unwrap().is_ok());
    }
}

/// A server that attests itself in this mode.
async fn serve(world: &World, mode: Mode) -> Served {
    world
        .serve_with(terms(world, mode), tls_of(world, mode).await)
        .await
}

fn terms(world: &World, servers: Mode) -> ServerTerms {
    match servers {
        Mode::InHandshake => ServerTerms::new()
            .attester(world.server_device.clone())
            .attest_in_handshake(),
        _ => ServerTerms::new(),
    }
}

async fn tls_of(world: &World, servers: Mode) -> ServerConfig {
    match servers {
        Mode::InCertificate => {
            let identity = in_certificate(world, world.server_device.clone()).await;
            server_tls(world, identity)
        }
        _ => asking_tls(world),
    }
}

/// TLS of the genuine server, which asks clients for any certificate.
fn asking_tls(world: &World) -> ServerConfig {
    server_tls(world, Arc::new(SingleCertAndKey::from(world.stolen_key())))
}

fn server_tls(world: &World, resolver: Arc<dyn ResolvesServerCert>) -> ServerConfig {
    let provider = demo::provider();
    let mut tls = ServerConfig::builder_with_details(provider.clone(), world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(dangerous_any_client(&provider))
        .with_cert_resolver(resolver);
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls
}

/// TLS of a client that takes any server, for what is self-signed.
fn client_tls(
    world: &World,
    alpn: &str,
    resolver: Option<Arc<dyn ResolvesClientCert>>,
) -> ClientConfig {
    let mut tls = ClientConfig::builder_with_details(demo::provider(), world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(dangerous_any_server(&demo::provider()))
        .with_no_client_auth();
    if let Some(resolver) = resolver {
        tls.client_auth_cert_resolver = resolver;
    }
    tls.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    tls
}

async fn in_certificate(world: &World, device: Arc<dyn Attester>) -> Arc<InCertificate> {
    let names = vec!["localhost".to_owned()];
    InCertificate::new(device, tls(world), names, LIFETIME)
        .await
        .unwrap()
}

fn tls(world: &World) -> (Arc<CryptoProvider>, Arc<dyn TimeProvider>) {
    (demo::provider(), world.clock.clone())
}

/// A client's certificate resolver for this mode, and who accepts it.
async fn attesting_client(
    world: &World,
    mode: Mode,
    binding: Binding,
) -> (Arc<dyn ResolvesClientCert>, Arc<RelyingParty>) {
    let device = Arc::new(SimAttester::generate().unwrap());
    let party = weak(&device, binding);
    let resolver = resolver(world, mode, device).await.unwrap();
    (resolver, party)
}

async fn resolver(
    world: &World,
    mode: Mode,
    device: Arc<SimAttester>,
) -> Option<Arc<dyn ResolvesClientCert>> {
    Some(match mode {
        Mode::InHandshake => {
            let device = Box::new(Arc::into_inner(device).unwrap());
            Arc::new(InHandshake::new(
                device,
                demo::provider(),
                world.clock.clone(),
            ))
        }
        _ => in_certificate(world, device).await,
    })
}

/// A reqwest client that expects servers of this mode, and takes any certificate.
fn expecting(world: &World, mode: Mode, party: Arc<RelyingParty>, http: Http) -> Attested {
    world
        .client()
        .server_verifier(dangerous_any_server(&demo::provider()))
        .require_peer(party)
        .servers_attest(mode)
        .http(http)
        .build()
        .unwrap()
}

/// A reqwest client that knows of attestation at most by the certificate that it is given.
fn attesting_plainly(
    world: &World,
    resolver: Option<Arc<dyn ResolvesClientCert>>,
) -> end_to_end::reqwest::Client {
    end_to_end::reqwest::Client::builder()
        .tls_backend_preconfigured(client_tls(world, "h2", resolver))
        .build()
        .unwrap()
}

/// What the server makes of one client with this certificate.
async fn accept_one(
    world: &World,
    terms: ServerTerms,
    resolver: Option<Arc<dyn ResolvesClientCert>>,
) -> Result<AttestedStream<TcpStream>, Error> {
    let acceptor = ServerAcceptor::new(asking_tls(world), terms).unwrap();
    let (near, far) = sockets().await;
    let tls = Arc::new(client_tls(world, "h2", resolver));
    let client = async {
        match Link::connect(tls, near, None).await {
            Ok(mut link) => link.drain().await,
            Err(_) => Vec::new(),
        }
    };
    let (heard, accepted) = tokio::join!(client, acceptor.accept(far));
    assert!(heard.is_empty());
    accepted
}

/// What a client makes of a server with this certificate.
async fn present(world: &World, mode: Mode, key: Arc<CertifiedKey>) -> Error {
    let resolver = Arc::new(SingleCertAndKey::from(key));
    let server = world
        .serve_with(ServerTerms::new(), server_tls(world, resolver))
        .await;
    let party = weak(&world.server_device, Binding::Key);
    let attested = expecting(world, mode, party, Http::Two);
    let refused = reqwest_client(&attested).get(server.url("/")).send().await;
    assert_eq!(server.hits(), 0);
    exchange_error(&refused.unwrap_err())
}

async fn attest(device: &SimAttester, request: &OwnedAttestRequest) -> atls_core::cmw::Cmw {
    Attester::attest(device, request.as_request())
        .await
        .unwrap()
}

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await;
    (near.unwrap(), listener.accept().await.unwrap().0)
}

fn url_of(listener: &TcpListener) -> String {
    format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    )
}

fn not_bound() -> Refusal {
    Refusal::Appraisal(AppraisalError::NotBound)
}

/// Always this certificate.
#[derive(Debug)]
struct One(Arc<CertifiedKey>);

impl ResolvesClientCert for One {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
