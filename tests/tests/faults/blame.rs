//! The fault of each error, and the step that was waited for, seen from the acceptor, whose errors operators page on.

use std::sync::Arc;
use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::AppraisalError;
use atls_core::Attester;
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::authenticator;
use atls_core::exchange::authenticator::Extension;
use atls_sim::SimVerifier;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ConnectionLimits;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::Stage;
use end_to_end::Gate;
use end_to_end::Gated;
use end_to_end::Unreachable;
use end_to_end::World;
use end_to_end::time::wait;
use end_to_end::time::wait_settled;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// More than anything takes by itself, however busy the machine is: tests let it pass.
const LIMIT: Duration = Duration::from_secs(60);

/// Never the first to pass.
const LATER: Duration = Duration::from_secs(600);

/// The acceptor's error for a connection whose client does as a script says.
async fn of_acceptor(
    world: &World,
    terms: ServerTerms,
    script: impl AsyncFnOnce(&mut Link, &World),
) -> Error {
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = async {
        let (socket, _) = listener.accept().await.unwrap();
        acceptor.accept(socket).await.unwrap_err()
    };
    let client = async {
        let socket = TcpStream::connect(address).await.unwrap();
        let tls = Arc::new(world.client_tls(&[]));
        let mut link = Link::connect(tls, socket, Some(world.stolen_key()))
            .await
            .unwrap();
        script(&mut link, world).await;
        link
    };
    let (error, _link) = tokio::join!(server, client);
    error
}

fn attesting(world: &World) -> ServerTerms {
    ServerTerms::new().attester(world.server_device.clone())
}

fn request(link: &Link, world: &World, can_attest: CanAttest) -> Vec<u8> {
    let formats = world.about_servers().media_types();
    let parameters = Parameters::client(formats, true, can_attest);
    let (request, _) =
        atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
    request
}

/// Up to the client's authenticator, made of genuine Evidence for this connection.
async fn attest(link: &mut Link, world: &World) {
    let opening = request(link, world, CanAttest::AfterServer);
    link.write(REQUEST, &opening).await.unwrap();
    let (_, asked) = link.read().await.unwrap();
    let challenge = Challenge::receive(link, &asked).unwrap();
    link.read().await.unwrap();
    link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    let request = challenge.to_attest().unwrap();
    let cmw = world.client_device.attest(request).await.unwrap();
    let answer = challenge.answer(&cmw).unwrap();
    link.write(AUTHENTICATOR, &answer).await.unwrap();
}

fn party(verifier: Arc<dyn Verifier>) -> Arc<RelyingParty> {
    let policy = StandardPolicy::new().dangerous_accept_simulated();
    let party = RelyingParty::builder().verifier(verifier);
    Arc::new(party.standard_policy(policy).build().unwrap())
}

#[tokio::test]
async fn a_client_silent_after_tls_is_what_was_waited_for() {
    let world = World::new();
    let terms = attesting(&world).first_byte(LIMIT).deadline(LATER);
    let error = of_acceptor(&world, terms, async |_, _| wait_settled(LIMIT).await).await;
    assert_eq!(
        (error.stage(), error.fault()),
        (Some(Stage::FirstByte), Fault::Peer)
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_silent_in_tls_is_what_was_waited_for() {
    let world = World::new();
    let acceptor = ServerAcceptor::new(world.server_tls(), attesting(&world));
    let (_client, server) = tokio::io::duplex(1000);
    let error = acceptor.unwrap().accept(server).await.unwrap_err();
    assert_eq!(
        (error.stage(), error.fault()),
        (Some(Stage::Handshake), Fault::Peer)
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_silent_in_tls_is_what_was_waited_for() {
    let world = World::new();
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let (client, _server) = tokio::io::duplex(1000);
    let name = "localhost".try_into().unwrap();
    let error = connector.connect(name, client).await.unwrap_err();
    assert_eq!(
        (error.stage(), error.fault()),
        (Some(Stage::Handshake), Fault::Peer)
    );
}

#[tokio::test]
async fn a_device_that_hangs_is_this_ends_fault() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new()
        .attester(Arc::new(device))
        .deadline(LIMIT);
    let error = of_acceptor(&world, terms, async |link, world| {
        let request = request(link, world, CanAttest::No);
        link.write(REQUEST, &request).await.unwrap();
        gate.reached_by(1).await;
        wait(LIMIT).await;
    });
    let error = error.await;
    assert_eq!(
        (error.stage(), error.fault()),
        (Some(Stage::Attestation), Fault::Local)
    );
}

#[tokio::test]
async fn a_verifier_that_hangs_is_its_own_fault() {
    let world = World::new();
    let gate = Gate::new();
    let verifier = Gated {
        inner: SimVerifier::new(world.client_device.trust_anchor()),
        gate: gate.clone(),
    };
    let terms = attesting(&world)
        .require_peer(party(Arc::new(verifier)))
        .deadline(LIMIT);
    let error = of_acceptor(&world, terms, async |link, world| {
        attest(link, world).await;
        gate.reached_by(1).await;
        wait(LIMIT).await;
    });
    let error = error.await;
    assert_eq!(
        (error.stage(), error.fault()),
        (Some(Stage::Appraisal), Fault::Verifier)
    );
}

#[tokio::test]
async fn a_client_that_withholds_its_verdict_is_what_was_waited_for() {
    let world = World::new();
    let terms = attesting(&world).deadline(LIMIT);
    let error = of_acceptor(&world, terms, async |link, world| {
        let request = request(link, world, CanAttest::No);
        link.write(REQUEST, &request).await.unwrap();
        link.read().await.unwrap();
        link.tls.write_all(&[VERDICT, 0, 0, 0, 5, 0]).await.unwrap();
        link.tls.flush().await.unwrap();
        wait(LIMIT).await;
    });
    let error = error.await;
    assert_eq!(
        (error.stage(), error.fault()),
        (Some(Stage::Exchange), Fault::Peer)
    );
}

/// The queue of a server that is at its limit.
#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_move_is_this_ends_fault() {
    let world = World::new();
    let gate = Gate::new();
    let device = Gated {
        inner: world.server_device.clone(),
        gate: gate.clone(),
    };
    let terms = ServerTerms::new().attester(Arc::new(device)).at_once(1, 1);
    let acceptor = ServerAcceptor::new(world.server_tls(), terms).unwrap();
    let accept = async || {
        let (near, far) = tokio::io::duplex(100_000);
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let terms = terms.deadline(LATER);
        let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
        let name = "localhost".try_into().unwrap();
        let (_, accepted) = tokio::join!(connector.connect(name, near), acceptor.accept(far));
        accepted.unwrap_err()
    };
    let mut first = std::pin::pin!(accept());
    tokio::select! {
        _ = &mut first => panic!("it hangs"),
        () = gate.reached_by(1) => {}
    }
    // The first holds its place for as long as nobody lets it go on.
    let second = accept().await;
    assert_eq!(
        (second.stage(), second.fault()),
        (Some(Stage::Queue), Fault::Local)
    );
}

#[tokio::test]
async fn a_client_that_wants_evidence_and_cannot_take_it_is_at_fault() {
    let world = World::new();
    let error = of_acceptor(&world, attesting(&world), async |link, _| {
        // {1: 1, 2: ["a/b"], 4: true, 5: true, 6: 0}, and no cmw_attestation beside it.
        let data = b"\xa5\x01\x01\x02\x81\x63a/b\x04\xf5\x05\xf5\x06\x00".to_vec();
        let extension = Extension {
            code: ATTESTATION_PARAMETERS,
            data,
        };
        let request = authenticator::request(link, &demo::provider(), vec![extension]).unwrap();
        link.write(REQUEST, request.as_bytes()).await.unwrap();
    });
    let error = error.await;
    assert_eq!(error.protocol(), Some(&ProtocolError::Malformed));
    assert_eq!(error.fault(), Fault::Peer);
}

#[tokio::test]
async fn a_verifier_that_is_down_is_at_fault_though_the_client_hangs_up() {
    let world = World::new();
    let verifier = Unreachable(SimVerifier::new(world.client_device.trust_anchor()));
    let terms = attesting(&world).require_peer(party(Arc::new(verifier)));
    let error = of_acceptor(&world, terms, async |link, world| {
        attest(link, world).await;
        link.tls.shutdown().await.unwrap();
    });
    let error = error.await;
    let refusal = Refusal::Appraisal(AppraisalError::Unreachable);
    assert_eq!(
        (error.refusal(), error.fault()),
        (Some(&refusal), Fault::Verifier)
    );
}

#[tokio::test]
async fn a_client_is_never_called_an_ordinary_server() {
    let world = World::new();
    for bytes in [&b"HEAD / HTTP/1.1\r\n\r\n"[..], &[0, 0, 0, 0, 0]] {
        let error = of_acceptor(&world, attesting(&world), async |link, world| {
            let request = request(link, world, CanAttest::No);
            link.write(REQUEST, &request).await.unwrap();
            link.read().await.unwrap();
            link.tls.write_all(bytes).await.unwrap();
            link.tls.flush().await.unwrap();
        });
        let error = error.await;
        assert!(!error.is_not_attested_tls());
        assert_eq!(error.protocol(), Some(&ProtocolError::Malformed));
    }
}

#[tokio::test]
async fn limits_of_none_and_of_too_many_are_limits() {
    let world = World::new();
    for limit in [0, usize::MAX] {
        let acceptor =
            ServerAcceptor::new(world.server_tls(), attesting(&world).at_once(limit, limit));
        let (near, far) = tokio::io::duplex(100_000);
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
        let acceptor = acceptor.unwrap();
        let connecting = connector.connect("localhost".try_into().unwrap(), near);
        let (client, server) = tokio::join!(connecting, acceptor.accept(far));
        assert!(client.is_ok() && server.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_silent_after_the_exchange_is_closed() {
    use tokio::io::AsyncReadExt;
    let world = World::new();
    let acceptor = ServerAcceptor::new(world.server_tls(), attesting(&world)).unwrap();
    let (near, far) = tokio::io::duplex(100_000);
    let terms = ClientTerms::new().require_peer(world.about_servers());
    let connector = ClientConnector::new(world.client_tls(&[]), terms).unwrap();
    let connecting = connector.connect("localhost".try_into().unwrap(), near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    let _client = client.unwrap();
    let guard = Arc::new(());
    let mut limits = ConnectionLimits::default();
    limits.first_request = LIMIT;
    let mut server = server.unwrap().with_limits(limits, guard.clone());
    assert!(server.requests().is_some());
    assert_eq!(Arc::strong_count(&guard), 2);
    let silent = server.read_u8().await.unwrap_err();
    assert_eq!(silent.kind(), std::io::ErrorKind::TimedOut);
}
