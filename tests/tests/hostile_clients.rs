//! Clients that break the protocol, against a real server: each is closed, none reaches a handler, and the others go on.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::Attester;
use atls_core::MediaType;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::limits::MAX_FRAME;
use atls_sim::SimVerifier;
use atls_tower::ServerTerms;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Served;
use end_to_end::World;
use end_to_end::reqwest_client;
use rustls::sign::CertifiedKey;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// A server that requires attestation, and what an attacker needs to talk to it.
struct Scene {
    world: World,
    server: Served,
}

impl Scene {
    async fn new() -> Self {
        Self::with(|terms| terms).await
    }

    async fn with(adjust: impl FnOnce(ServerTerms) -> ServerTerms) -> Self {
        let world = World::new();
        let terms = ServerTerms::new()
            .attester(world.server_device.clone())
            .require_peer(world.about_clients())
            .first_byte(Duration::from_secs(2))
            .deadline(Duration::from_secs(2));
        let server = world.serve(adjust(terms)).await;
        Self { world, server }
    }

    async fn connect(&self) -> Link {
        self.connect_as(None).await
    }

    async fn connect_as(&self, identity: Option<Arc<CertifiedKey>>) -> Link {
        let socket = TcpStream::connect(self.server.address).await.unwrap();
        let tls = Arc::new(self.world.client_tls(&["http/1.1"]));
        Link::connect(tls, socket, identity).await.unwrap()
    }

    /// A request as an honest client would send it that can attest.
    fn request(&self, link: &Link) -> (Vec<u8>, Pending) {
        let formats: Vec<MediaType> = self.world.about_servers().media_types();
        let parameters = Parameters::client(formats, true, CanAttest::AfterPeer);
        atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap()
    }

    /// Everything up to where the client's authenticator is due; gives the server's challenge.
    async fn until_challenged(&self, link: &mut Link) -> Challenge {
        let (request, pending) = self.request(link);
        link.write(REQUEST, &request).await.unwrap();
        let (kind, asked) = link.read().await.unwrap();
        assert_eq!(kind, REQUEST);
        let challenge = Challenge::receive(link, &asked).unwrap();
        let (kind, authenticator) = link.read().await.unwrap();
        assert_eq!(kind, AUTHENTICATOR);
        pending.finish(&authenticator).unwrap();
        link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
        challenge
    }

    /// The attacker was closed, no handler saw him, and an honest client is served.
    async fn holds(&self, mut link: Link) {
        let rest = tokio::time::timeout(Duration::from_secs(20), link.drain()).await;
        let rest = rest.expect("the server closes");
        // A plain client is told why it is refused; nothing else is ever answered.
        assert!(
            !rest.starts_with(b"HTTP") || rest.starts_with(b"HTTP/1.1 4"),
            "he got an answer"
        );
        self.goes_on().await;
    }

    async fn goes_on(&self) {
        let before = self.server.hits();
        assert_eq!(before, 0);
        let client = reqwest_client(&self.world.mutual());
        assert!(client.get(self.server.url("/")).send().await.is_ok());
        assert_eq!(self.server.hits(), 1);
    }
}

#[tokio::test]
async fn an_attacker_that_keeps_the_rules_is_a_client() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    let cmw = scene
        .world
        .client_device
        .attest(challenge.to_attest().unwrap())
        .await
        .unwrap();
    link.write(AUTHENTICATOR, &challenge.answer(&cmw).unwrap())
        .await
        .unwrap();
    let (kind, verdict) = link.read().await.unwrap();
    assert_eq!((kind, verdict[0], verdict.len()), (VERDICT, 0, 5));
    link.tls
        .write_all(b"GET /peer HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let answer = link.drain().await;
    assert!(
        answer.ends_with(b"affirming"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[tokio::test]
async fn a_silent_client_is_closed() {
    let scene = Scene::with(|terms| terms.first_byte(Duration::from_millis(100))).await;
    let link = scene.connect().await;
    scene.holds(link).await;
}

#[tokio::test]
async fn a_client_silent_in_tls_is_closed() {
    let scene = Scene::with(|terms| terms.deadline(Duration::from_millis(300))).await;
    let mut socket = TcpStream::connect(scene.server.address).await.unwrap();
    let mut bytes = Vec::new();
    assert_eq!(socket.read_to_end(&mut bytes).await.unwrap_or(0), 0);
    scene.goes_on().await;
}

#[tokio::test]
async fn half_a_frame_is_not_waited_for() {
    for bytes in [&[1][..], &[1, 0, 0], &[1, 0, 0, 0, 9, 17]] {
        let scene = Scene::with(|terms| terms.deadline(Duration::from_millis(300))).await;
        let mut link = scene.connect().await;
        link.tls.write_all(bytes).await.unwrap();
        link.tls.flush().await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn a_frame_that_ends_early_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect().await;
    link.write_frame(REQUEST, 100, &[17]).await.unwrap();
    link.tls.shutdown().await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn an_oversized_frame_is_refused_by_its_length_alone() {
    for length in [u32::try_from(MAX_FRAME).unwrap() + 1, u32::MAX] {
        let scene = Scene::new().await;
        let mut link = scene.connect().await;
        link.write_frame(REQUEST, length, &[]).await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    for bytes in [
        &b"\0\0\0\0\0\0\0\0"[..],
        b"\x16\x03\x01\x02\0",
        &[0xff; 64],
        b"\x04\0\0\0\0",
        b"SSH-2.0-x\r\n",
    ] {
        let scene = Scene::new().await;
        let mut link = scene.connect().await;
        link.tls.write_all(bytes).await.unwrap();
        link.tls.flush().await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn ordinary_http_reaches_no_handler() {
    for bytes in [
        &b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let scene = Scene::new().await;
        let mut link = scene.connect().await;
        link.tls.write_all(bytes).await.unwrap();
        link.tls.flush().await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn http_in_the_same_flight_as_the_request_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect().await;
    let (request, _) = scene.request(&link);
    let length = u32::try_from(request.len()).unwrap().to_be_bytes();
    let flight = [
        &[REQUEST],
        &length[..],
        &request,
        b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ]
    .concat();
    link.tls.write_all(&flight).await.unwrap();
    link.tls.flush().await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn an_authenticator_or_verdict_that_nobody_asked_for_is_refused() {
    for kind in [AUTHENTICATOR, VERDICT] {
        let scene = Scene::new().await;
        let mut link = scene.connect().await;
        link.write(kind, &[0; 5]).await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn a_request_of_a_server_or_a_malformed_one_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect().await;
    let (mut request, _) = scene.request(&link);
    request[0] = 13;
    link.write(REQUEST, &request).await.unwrap();
    scene.holds(link).await;
    for payload in [&[][..], &[17], &[17, 0, 0, 0], &[0; 64]] {
        let scene = Scene::new().await;
        let mut link = scene.connect().await;
        link.write(REQUEST, payload).await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn a_second_request_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect().await;
    let (first, _) = scene.request(&link);
    let (second, _) = scene.request(&link);
    link.write(REQUEST, &first).await.unwrap();
    link.write(REQUEST, &second).await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn the_same_request_twice_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect().await;
    let (request, _) = scene.request(&link);
    link.write(REQUEST, &request).await.unwrap();
    link.write(REQUEST, &request).await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn one_byte_at_a_time_is_slow_and_legal() {
    let scene = Scene::with(|terms| terms.deadline(Duration::from_secs(10))).await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let (request, _) = scene.request(&link);
    let length = u32::try_from(request.len()).unwrap().to_be_bytes();
    for byte in [&[REQUEST], &length[..], &request].concat() {
        link.tls.write_all(&[byte]).await.unwrap();
        link.tls.flush().await.unwrap();
    }
    assert_eq!(link.read().await.unwrap().0, REQUEST);
    assert_eq!(link.read().await.unwrap().0, AUTHENTICATOR);
    drop(link);
    scene.goes_on().await;
}

#[tokio::test]
async fn http_instead_of_an_authenticator_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let _ = scene.until_challenged(&mut link).await;
    link.tls
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    link.tls.flush().await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn an_empty_authenticator_does_not_satisfy_a_demand() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    link.write(AUTHENTICATOR, &challenge.decline().unwrap())
        .await
        .unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn an_authenticator_without_evidence_does_not_satisfy_a_demand() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    link.write(
        AUTHENTICATOR,
        &challenge.answer_without_attestation().unwrap(),
    )
    .await
    .unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn the_servers_own_authenticator_reflected_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let (request, _) = scene.request(&link);
    link.write(REQUEST, &request).await.unwrap();
    let _ = link.read().await.unwrap();
    let (_, authenticator) = link.read().await.unwrap();
    link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    link.write(AUTHENTICATOR, &authenticator).await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn evidence_of_another_connection_is_refused() {
    let scene = Scene::new().await;
    let identity = scene.world.stolen_key();
    let mut other = scene.connect_as(Some(identity.clone())).await;
    let elsewhere = scene.until_challenged(&mut other).await;
    let evidence = scene
        .world
        .client_device
        .attest(elsewhere.to_attest().unwrap())
        .await
        .unwrap();
    let mut link = scene.connect_as(Some(identity)).await;
    let challenge = scene.until_challenged(&mut link).await;
    link.write(AUTHENTICATOR, &challenge.answer(&evidence).unwrap())
        .await
        .unwrap();
    drop(other);
    scene.holds(link).await;
}

#[tokio::test]
async fn an_authenticator_of_another_connection_is_refused() {
    let scene = Scene::new().await;
    let identity = scene.world.stolen_key();
    let mut other = scene.connect_as(Some(identity.clone())).await;
    let elsewhere = scene.until_challenged(&mut other).await;
    let evidence = scene
        .world
        .client_device
        .attest(elsewhere.to_attest().unwrap())
        .await
        .unwrap();
    let mut link = scene.connect_as(Some(identity)).await;
    let _ = scene.until_challenged(&mut link).await;
    link.write(AUTHENTICATOR, &elsewhere.answer(&evidence).unwrap())
        .await
        .unwrap();
    drop(other);
    scene.holds(link).await;
}

#[tokio::test]
async fn a_second_authenticator_does_not_repair_the_first() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    let evidence = scene
        .world
        .client_device
        .attest(challenge.to_attest().unwrap())
        .await
        .unwrap();
    let good = challenge.answer(&evidence).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    link.write(AUTHENTICATOR, &bad).await.unwrap();
    // It may be closed already.
    let _ = link.write(AUTHENTICATOR, &good).await;
    scene.holds(link).await;
}

#[tokio::test]
async fn a_client_that_refuses_the_server_is_not_served() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let (request, _) = scene.request(&link);
    link.write(REQUEST, &request).await.unwrap();
    link.write(VERDICT, &[2, 0, 0, 0, 0]).await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn a_malformed_verdict_is_refused() {
    for verdict in [&[][..], &[0], &[0; 6], &[2, 0, 0, 0, 1]] {
        let scene = Scene::new().await;
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let (request, _) = scene.request(&link);
        link.write(REQUEST, &request).await.unwrap();
        link.write(VERDICT, verdict).await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn a_client_that_closes_at_any_step_harms_nobody() {
    for step in 0..5 {
        let scene = Scene::new().await;
        let socket = TcpStream::connect(scene.server.address).await.unwrap();
        if step > 0 {
            let tls = Arc::new(scene.world.client_tls(&[]));
            let mut link = Link::connect(tls, socket, Some(scene.world.stolen_key()))
                .await
                .unwrap();
            let (request, _) = scene.request(&link);
            if step > 1 {
                link.write(REQUEST, &request).await.unwrap();
            }
            for _ in 2..step {
                link.read().await.unwrap();
            }
        }
        scene.goes_on().await;
    }
}

#[tokio::test]
async fn a_client_that_stalls_at_any_step_is_closed() {
    for step in 1..5 {
        let scene = Scene::with(|terms| {
            terms
                .deadline(Duration::from_millis(400))
                .first_byte(Duration::from_millis(400))
        });
        let scene = scene.await;
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let (request, _) = scene.request(&link);
        if step > 1 {
            link.write(REQUEST, &request).await.unwrap();
        }
        for _ in 2..step {
            link.read().await.unwrap();
        }
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn a_server_that_only_asks_treats_broken_frames_no_better() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.ask_peer(world.about_clients())).await;
    let scene = Scene { world, server };
    let mut link = scene.connect().await;
    link.write(REQUEST, &[17, 0, 0, 0]).await.unwrap();
    scene.holds(link).await;
}

/// A good authenticator of the client, for this connection.
async fn good_authenticator(scene: &Scene, link: &mut Link) -> Vec<u8> {
    let challenge = scene.until_challenged(link).await;
    let request = challenge.to_attest().unwrap();
    let cmw = scene.world.client_device.attest(request).await.unwrap();
    challenge.answer(&cmw).unwrap()
}

#[tokio::test]
async fn a_clients_authenticator_one_byte_at_a_time_is_slow_and_legal() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let authenticator = good_authenticator(&scene, &mut link).await;
    let length = u32::try_from(authenticator.len()).unwrap().to_be_bytes();
    for byte in [&[AUTHENTICATOR], &length[..], &authenticator].concat() {
        link.tls.write_all(&[byte]).await.unwrap();
        link.tls.flush().await.unwrap();
    }
    assert_eq!(link.read().await.unwrap().1[0], 0, "accepted");
}

#[tokio::test]
async fn every_flipped_byte_and_many_truncations_of_the_clients_authenticator_are_refused() {
    let scene = Scene::new().await;
    let mut length = 1;
    let mut index = 0;
    while index < length {
        // Every truncation is refused in the core's tests; each here is a mutual exchange over sockets.
        let ways = if index % 16 == 0 {
            &[true, false][..]
        } else {
            &[false]
        };
        for cut in ways.iter().copied() {
            let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
            let mut authenticator = good_authenticator(&scene, &mut link).await;
            length = length.max(authenticator.len());
            let index = index.min(authenticator.len() - 1);
            if cut {
                authenticator.truncate(index);
            } else {
                authenticator[index] ^= 1 << (index % 8);
            }
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
            let rest = link.drain().await;
            assert!(
                rest.is_empty() || rest.starts_with(&[VERDICT, 0, 0, 0, 5, 2]),
                "byte {index}, cut: {cut}: {rest:?}"
            );
        }
        index += 1;
    }
    scene.goes_on().await;
}

#[tokio::test]
async fn a_trailing_byte_in_any_message_of_a_client_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect().await;
    let (mut request, _) = scene.request(&link);
    request.push(0);
    link.write(REQUEST, &request).await.unwrap();
    assert_eq!(link.drain().await, b"");
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let mut authenticator = good_authenticator(&scene, &mut link).await;
    authenticator.push(0);
    link.write(AUTHENTICATOR, &authenticator).await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn a_client_that_closes_or_stalls_after_verdict_or_authenticator_harms_nobody() {
    for (attests, closes) in [(false, true), (false, false), (true, true)] {
        let scene = Scene::with(|terms| terms.deadline(Duration::from_millis(400))).await;
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let authenticator = good_authenticator(&scene, &mut link).await;
        if attests {
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        }
        if closes {
            link.tls.shutdown().await.unwrap();
        }
        scene.holds(link).await;
    }
}

/// X2: the server's Evidence, for this very connection, in the client's place.
#[tokio::test]
async fn the_servers_own_evidence_under_the_clients_key_is_refused() {
    let world = World::new();
    // The server would even trust its own kind of device in a client.
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.require_peer(world.about_servers())).await;
    let scene = Scene { world, server };
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let (request, pending) = scene.request(&link);
    link.write(REQUEST, &request).await.unwrap();
    let (_, asked) = link.read().await.unwrap();
    let challenge = Challenge::receive(&link, &asked).unwrap();
    let (_, authenticator) = link.read().await.unwrap();
    let credential = pending.finish(&authenticator).unwrap();
    link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    let answer = challenge.answer(credential.cmw()).unwrap();
    link.write(AUTHENTICATOR, &answer).await.unwrap();
    let rest = link.drain().await;
    assert_eq!(rest, [VERDICT, 0, 0, 0, 5, 2, 0, 0, 0, 0]);
    assert_eq!(scene.server.hits(), 0);
}

/// T2: HTTP in one flight with the authenticator, while the verifier thinks.
#[tokio::test]
async fn http_behind_an_authenticator_waits_for_the_decision() {
    for accepts in [true, false] {
        let world = World::new();
        let gate = Gate::new();
        let trusted = if accepts {
            &world.client_device
        } else {
            &world.server_device
        };
        let verifier = Gated {
            inner: SimVerifier::new(trusted.trust_anchor()),
            gate: gate.clone(),
        };
        let policy = StandardPolicy::new().dangerous_accept_simulated();
        let party = RelyingParty::builder().verifier(Arc::new(verifier));
        let party = Arc::new(party.standard_policy(policy).build().unwrap());
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let server = world.serve(terms.require_peer(party)).await;
        let scene = Scene { world, server };
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let authenticator = good_authenticator(&scene, &mut link).await;
        let length = u32::try_from(authenticator.len()).unwrap().to_be_bytes();
        let http = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let flight = [&[AUTHENTICATOR], &length[..], &authenticator, http].concat();
        link.tls.write_all(&flight).await.unwrap();
        link.tls.flush().await.unwrap();
        gate.reached_by(1).await;
        assert_eq!(scene.server.hits(), 0);
        gate.open();
        let answer = link.drain().await;
        assert_eq!(answer.ends_with(b"hello"), accepts);
        assert_eq!(scene.server.hits(), usize::from(accepts));
    }
}

#[tokio::test]
async fn a_client_of_tls_1_2_is_refused_by_a_server_that_could() {
    let world = World::new();
    let mut tls = rustls::ServerConfig::builder_with_provider(demo::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    tls.time_provider = world.clock.clone();
    let server = world.serve_with(ServerTerms::plain(), tls).await;
    let tls = rustls::ClientConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(world.authority.roots().unwrap())
        .with_no_client_auth();
    let socket = TcpStream::connect(server.address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls));
    let connecting = connector.connect("localhost".try_into().unwrap(), socket);
    let Ok(mut stream) = connecting.await else {
        return;
    };
    let _ = stream
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(answer, b"");
    assert_eq!(server.hits(), 0);
}

/// A sibling under the same ticketer, not one of ours, gives a ticket; our server makes a full handshake all the same.
#[tokio::test]
async fn a_ticket_of_a_sibling_server_is_not_taken() {
    let world = World::new();
    let mut tls = world.server_tls();
    tls.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
    tls.send_tls13_tickets = 2;
    tls.max_early_data_size = 1000;
    let ours = world.serve_with(ServerTerms::plain(), tls.clone()).await;
    let sibling = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sibling_address = sibling.local_addr().unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let giving = tokio::spawn(async move {
        let (socket, _) = sibling.accept().await.unwrap();
        let mut stream = acceptor.accept(socket).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        stream.flush().await.unwrap();
        stream
    });
    let mut tls = world.client_tls(&[]);
    tls.resumption = rustls::client::Resumption::in_memory_sessions(8);
    tls.enable_early_data = true;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(tls)).early_data(true);
    let name = || "localhost".try_into().unwrap();
    let socket = TcpStream::connect(sibling_address).await.unwrap();
    let mut stream = connector.connect(name(), socket).await.unwrap();
    stream.read_u8().await.unwrap();
    assert!(stream.get_ref().1.tls13_tickets_received() > 0);
    giving.await.unwrap();

    let socket = TcpStream::connect(ours.address).await.unwrap();
    let mut stream = connector.connect(name(), socket).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.ends_with(b"hello"));
    let connection = stream.get_ref().1;
    assert!(!connection.is_early_data_accepted());
    assert_eq!(
        connection.handshake_kind(),
        Some(rustls::HandshakeKind::Full)
    );
}
