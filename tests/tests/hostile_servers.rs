//! Servers that break the protocol, against our client: each is refused before a first byte of HTTP, with the right reason.
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
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::authenticator::Extension;
use atls_core::authenticator::ReceivedRequest;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::RefusalCode;
use atls_core::limits::MAX_FRAME;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::Stage;
use end_to_end::World;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// The outcome of one connection of our client to a server that does as a script says.
struct Outcome {
    connected: Result<AttestedStream<TcpStream>, Error>,
    /// The bytes that the server was sent behind the script, up to the close.
    sent: Vec<u8>,
    _server: Link,
}

async fn against(
    terms: fn(&World, ClientTerms) -> ClientTerms,
    script: impl AsyncFnOnce(&mut Link, &World),
) -> Outcome {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, is_accepted) = oneshot::channel();
    let server = async {
        let (socket, _) = listener.accept().await.unwrap();
        let tls = Arc::new(world.server_tls());
        let mut link = Link::accept(tls, socket, world.stolen_key()).await.unwrap();
        script(&mut link, &world).await;
        let drained = tokio::time::timeout(Duration::from_secs(20), link.drain());
        let sent = tokio::select! {
            drained = drained => drained.expect("the client closes"),
            Ok(()) = is_accepted => Vec::new(),
        };
        (sent, link)
    };
    let client = async {
        let demands = ClientTerms::new().require_peer(world.about_servers());
        let demands = terms(&world, demands.deadline(Duration::from_secs(2)));
        let tls = world.client_tls(&["http/1.1"]);
        let connector = ClientConnector::new(tls, demands).unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let name = "localhost".try_into().unwrap();
        let connected = connector.connect(name, socket).await;
        if connected.is_ok() {
            accepted.send(()).unwrap();
        }
        connected
    };
    let (connected, (sent, link)) = tokio::join!(client, server);
    Outcome {
        connected,
        sent,
        _server: link,
    }
}

fn as_is(_: &World, terms: ClientTerms) -> ClientTerms {
    terms
}

fn attesting(world: &World, terms: ClientTerms) -> ClientTerms {
    terms.attester(world.client_device.clone())
}

fn hasty(_: &World, terms: ClientTerms) -> ClientTerms {
    terms.deadline(Duration::from_millis(300))
}

/// Reads the client's request and makes a good authenticator for it.
async fn good_authenticator(link: &mut Link, world: &World) -> Vec<u8> {
    let (kind, request) = link.read().await.unwrap();
    assert_eq!(kind, REQUEST);
    let challenge = Challenge::receive(link, &request).unwrap();
    let evidence = world
        .server_device
        .attest(challenge.to_attest().unwrap())
        .await
        .unwrap();
    challenge.answer(&evidence).unwrap()
}

#[tokio::test]
async fn a_server_that_keeps_the_rules_is_accepted() {
    let script = async |link: &mut Link, world: &World| {
        let authenticator = good_authenticator(link, world).await;
        link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        let (kind, verdict) = link.read().await.unwrap();
        assert_eq!((kind, verdict[0]), (VERDICT, 0));
        link.tls.write_all(b"HTTP").await.unwrap();
        link.tls.flush().await.unwrap();
    };
    let connected = against(as_is, script).await.connected;
    let mut bytes = [0; 4];
    connected.unwrap().read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"HTTP");
}

#[tokio::test]
async fn an_authenticator_and_http_in_one_flight_are_told_apart() {
    let script = async |link: &mut Link, world: &World| {
        let authenticator = good_authenticator(link, world).await;
        let length = u32::try_from(authenticator.len()).unwrap().to_be_bytes();
        let flight = [&[AUTHENTICATOR], &length[..], &authenticator, b"HTTP"].concat();
        link.tls.write_all(&flight).await.unwrap();
        link.tls.flush().await.unwrap();
        link.read().await.unwrap();
    };
    let connected = against(as_is, script).await.connected;
    let mut bytes = [0; 4];
    connected.unwrap().read_exact(&mut bytes).await.unwrap();
    assert_eq!(&bytes, b"HTTP");
}

#[tokio::test]
async fn one_byte_at_a_time_is_slow_and_legal() {
    let script = async |link: &mut Link, world: &World| {
        let authenticator = good_authenticator(link, world).await;
        let length = u32::try_from(authenticator.len()).unwrap().to_be_bytes();
        for byte in [&[AUTHENTICATOR], &length[..], &authenticator].concat() {
            link.tls.write_all(&[byte]).await.unwrap();
            link.tls.flush().await.unwrap();
        }
        link.read().await.unwrap();
    };
    assert!(against(as_is, script).await.connected.is_ok());
}

#[tokio::test]
async fn a_server_that_stalls_at_any_step_is_given_up() {
    let silent = async |link: &mut Link, _: &World| {
        link.read().await.unwrap();
    };
    assert_eq!(
        against(hasty, silent).await.connected.unwrap_err().stage(),
        Some(Stage::Exchange)
    );
    for bytes in [&[2][..], &[2, 0, 0], &[2, 0, 0, 4, 0, 11]] {
        let half = async |link: &mut Link, _: &World| {
            link.read().await.unwrap();
            link.tls.write_all(bytes).await.unwrap();
            link.tls.flush().await.unwrap();
        };
        assert_eq!(
            against(hasty, half).await.connected.unwrap_err().stage(),
            Some(Stage::Exchange)
        );
    }
}

#[tokio::test]
async fn a_server_that_closes_at_any_step_is_refused() {
    for bytes in [&[][..], &[2], &[2, 0, 0], &[2, 0, 0, 4, 0, 11]] {
        let closing = async |link: &mut Link, _: &World| {
            link.read().await.unwrap();
            link.tls.write_all(bytes).await.unwrap();
            link.tls.shutdown().await.unwrap();
        };
        assert!(
            against(as_is, closing)
                .await
                .connected
                .unwrap_err()
                .is_closed(),
            "{bytes:?}"
        );
    }
}

#[tokio::test]
async fn frames_that_are_too_large_unknown_or_no_frames_are_refused() {
    let large = u32::try_from(MAX_FRAME).unwrap() + 1;
    let oversized = async |link: &mut Link, _: &World| {
        link.write_frame(AUTHENTICATOR, large, &[]).await.unwrap()
    };
    let refused = against(as_is, oversized).await.connected;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::TooLarge)
    );
    for kind in [4, 9, 0x16, 0xff] {
        let unknown = async |link: &mut Link, _: &World| link.write(kind, &[]).await.unwrap();
        let refused = against(as_is, unknown).await.connected;
        assert_eq!(
            refused.unwrap_err().protocol(),
            Some(&ProtocolError::Malformed)
        );
    }
    for ordinary in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        &[0, 0, 0, 4, 0, 0, 0, 0, 0],
    ] {
        let ordinary = async |link: &mut Link, _: &World| {
            link.tls.write_all(ordinary).await.unwrap();
            link.tls.flush().await.unwrap();
        };
        assert!(
            against(as_is, ordinary)
                .await
                .connected
                .unwrap_err()
                .is_not_attested_tls()
        );
    }
}

#[tokio::test]
async fn no_byte_of_http_is_sent_to_a_server_that_is_refused() {
    let declining = async |link: &mut Link, _: &World| {
        let (_, request) = link.read().await.unwrap();
        let empty = Challenge::receive(link, &request)
            .unwrap()
            .decline()
            .unwrap();
        link.write(AUTHENTICATOR, &empty).await.unwrap();
    };
    let Outcome {
        connected: refused,
        sent,
        ..
    } = against(as_is, declining).await;
    assert!(refused.unwrap_err().is_peer_unattested());
    assert_eq!(sent, Vec::<u8>::new());
}

#[tokio::test]
async fn an_accepting_verdict_of_the_server_is_no_attestation() {
    let script = async |link: &mut Link, _: &World| {
        link.read().await.unwrap();
        link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    };
    let Outcome {
        connected: refused,
        sent,
        ..
    } = against(as_is, script).await;
    assert_eq!(refused.unwrap_err().fault(), Fault::Peer);
    assert_eq!(sent, Vec::<u8>::new());
}

#[tokio::test]
async fn a_refusing_verdict_is_told_with_its_reason() {
    for (code, reason) in [
        (1, RefusalCode::AttestationRequired),
        (3, RefusalCode::Unavailable),
        (200, RefusalCode::Other(200)),
    ] {
        let script = async |link: &mut Link, _: &World| {
            link.write(VERDICT, &[code, 0, 0, 0, 0]).await.unwrap()
        };
        let refused = against(as_is, script).await.connected;
        assert_eq!(refused.unwrap_err().refused_by_peer(), Some(reason));
    }
    let malformed = async |link: &mut Link, _: &World| link.write(VERDICT, &[1]).await.unwrap();
    let refused = against(as_is, malformed).await.connected;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Malformed)
    );
}

#[tokio::test]
async fn a_client_that_did_not_offer_to_attest_is_not_made_to() {
    let script = async |link: &mut Link, world: &World| {
        let parameters = Parameters::server(world.about_clients().media_types(), Order::ClientLast);
        let (request, _) =
            atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
        link.write(REQUEST, &request).await.unwrap();
    };
    let refused = against(as_is, script).await.connected;
    assert_eq!(refused.unwrap_err().fault(), Fault::Peer);
}

#[tokio::test]
async fn a_client_gives_no_evidence_to_a_server_that_wants_it_first() {
    let script = async |link: &mut Link, world: &World| {
        let parameters =
            Parameters::server(world.about_clients().media_types(), Order::ClientFirst);
        let (request, _) =
            atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
        link.read().await.unwrap();
        link.write(REQUEST, &request).await.unwrap();
    };
    let Outcome {
        connected: refused,
        sent,
        ..
    } = against(attesting, script).await;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::UnsupportedParameters)
    );
    assert_eq!(sent, Vec::<u8>::new());
}

#[tokio::test]
async fn a_client_gives_no_evidence_to_a_server_that_did_not_pass() {
    let script = async |link: &mut Link, world: &World| {
        let (_, request) = link.read().await.unwrap();
        let challenge = Challenge::receive(link, &request).unwrap();
        let parameters = Parameters::server(world.about_clients().media_types(), Order::ClientLast);
        let (request, _) =
            atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
        link.write(REQUEST, &request).await.unwrap();
        link.write(AUTHENTICATOR, &challenge.decline().unwrap())
            .await
            .unwrap();
    };
    let Outcome {
        connected: refused,
        sent,
        ..
    } = against(attesting, script).await;
    assert!(refused.unwrap_err().is_peer_unattested());
    assert_eq!(sent, Vec::<u8>::new());
}

#[tokio::test]
async fn a_client_gives_no_evidence_in_a_format_that_was_not_asked_for() {
    let script = async |link: &mut Link, _: &World| {
        let parameters = Parameters::server(vec!["other/type".parse().unwrap()], Order::ClientLast);
        let (request, _) =
            atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
        link.read().await.unwrap();
        link.write(REQUEST, &request).await.unwrap();
    };
    let Outcome {
        connected: refused,
        sent,
        ..
    } = against(attesting, script).await;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::NoCommonFormat)
    );
    assert_eq!(sent, Vec::<u8>::new());
}

#[tokio::test]
async fn the_clients_own_request_mirrored_is_refused() {
    let script = async |link: &mut Link, _: &World| {
        let (_, mut request) = link.read().await.unwrap();
        request[0] = 13;
        link.write(REQUEST, &request).await.unwrap();
    };
    let refused = against(attesting, script).await.connected;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::ContextSpent)
    );
}

#[tokio::test]
async fn a_second_request_to_the_client_is_refused() {
    let script = async |link: &mut Link, world: &World| {
        let parameters = Parameters::server(world.about_clients().media_types(), Order::ClientLast);
        link.read().await.unwrap();
        for _ in 0..2 {
            let (request, _) =
                atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
            link.write(REQUEST, &request).await.unwrap();
        }
    };
    let refused = against(attesting, script).await.connected;
    assert_eq!(refused.unwrap_err().fault(), Fault::Peer);
}

#[tokio::test]
async fn every_truncation_of_the_servers_authenticator_is_refused() {
    // Cut in the message, under a frame that fits: nothing is left to wait for.
    for cut in 0..LONGEST {
        let cutting = async |link: &mut Link, world: &World| {
            let mut authenticator = good_authenticator(link, world).await;
            assert!(authenticator.len() <= LONGEST);
            authenticator.truncate(cut.min(authenticator.len() - 1));
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        };
        let Outcome {
            connected: refused,
            sent,
            ..
        } = against(as_is, cutting).await;
        assert_eq!(refused.unwrap_err().fault(), Fault::Peer, "cut at {cut}");
        assert_eq!(sent, Vec::<u8>::new(), "cut at {cut}");
    }
}

#[tokio::test]
async fn every_flipped_byte_of_the_servers_authenticator_is_refused() {
    // A thousand connections: each byte in turn, one bit of it.
    let script = async |link: &mut Link, world: &World| {
        let authenticator = good_authenticator(link, world).await;
        link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        link.read().await.unwrap();
        link.write(
            0,
            &u32::try_from(authenticator.len()).unwrap().to_be_bytes(),
        )
        .await
        .unwrap();
    };
    let connected = against(as_is, script).await.connected;
    let mut told = [0; 9];
    connected.unwrap().read_exact(&mut told).await.unwrap();
    let length = usize::try_from(u32::from_be_bytes(told[5..].try_into().unwrap())).unwrap();
    for index in 0..length {
        let flipping = async |link: &mut Link, world: &World| {
            let mut authenticator = good_authenticator(link, world).await;
            let index = index.min(authenticator.len() - 1);
            authenticator[index] ^= 1 << (index % 8);
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        };
        let Outcome {
            connected: refused,
            sent,
            ..
        } = against(as_is, flipping).await;
        assert!(refused.is_err(), "byte {index}");
        assert_eq!(sent, Vec::<u8>::new(), "byte {index}");
    }
}

/// Bytes of an authenticator of these tests, at most: certificate and Evidence vary by a few.
const LONGEST: usize = 1100;

#[tokio::test]
async fn a_second_authenticator_of_a_server_does_not_repair_the_first() {
    let script = async |link: &mut Link, world: &World| {
        let good = good_authenticator(link, world).await;
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        link.write(AUTHENTICATOR, &bad).await.unwrap();
        let _ = link.write(AUTHENTICATOR, &good).await;
    };
    let outcome = against(as_is, script).await;
    let refused = outcome.connected.unwrap_err();
    assert_eq!(refused.protocol(), Some(&ProtocolError::BadFinished));
    assert_eq!(outcome.sent, Vec::<u8>::new());
}

#[tokio::test]
async fn trailing_bytes_in_any_message_of_a_server_are_refused() {
    let authenticator = async |link: &mut Link, world: &World| {
        let mut authenticator = good_authenticator(link, world).await;
        authenticator.push(0);
        link.write(AUTHENTICATOR, &authenticator).await.unwrap();
    };
    let refused = against(as_is, authenticator).await.connected;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Malformed)
    );
    let request = async |link: &mut Link, world: &World| {
        let parameters = Parameters::server(world.about_clients().media_types(), Order::ClientLast);
        let (mut request, _) =
            atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
        request.push(0);
        link.read().await.unwrap();
        link.write(REQUEST, &request).await.unwrap();
    };
    let refused = against(attesting, request).await.connected;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Malformed)
    );
    let verdict = async |link: &mut Link, _: &World| {
        link.write(VERDICT, &[0, 0, 0, 14, 16, 0]).await.unwrap();
    };
    let refused = against(attesting, verdict).await.connected;
    assert_eq!(
        refused.unwrap_err().protocol(),
        Some(&ProtocolError::Malformed)
    );
}

/// Asks the client, and answers it: everything before the client's verdict and authenticator.
async fn mutual_until_its_answer(link: &mut Link, world: &World) {
    let (_, opening) = link.read().await.unwrap();
    let challenge = Challenge::receive(link, &opening).unwrap();
    let parameters = Parameters::server(world.about_clients().media_types(), Order::ClientLast);
    let (request, _) =
        atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
    link.write(REQUEST, &request).await.unwrap();
    let evidence = world
        .server_device
        .attest(challenge.to_attest().unwrap())
        .await
        .unwrap();
    let answer = challenge.answer(&evidence).unwrap();
    link.write(AUTHENTICATOR, &answer).await.unwrap();
    assert_eq!(link.read().await.unwrap().0, VERDICT);
    assert_eq!(link.read().await.unwrap().0, AUTHENTICATOR);
}

#[tokio::test]
async fn a_server_that_withholds_its_verdict_gets_no_http() {
    let stalling =
        async |link: &mut Link, world: &World| mutual_until_its_answer(link, world).await;
    let hasty = |world: &World, terms: ClientTerms| hasty(world, attesting(world, terms));
    let outcome = against(hasty, stalling).await;
    assert_eq!(
        outcome.connected.unwrap_err().stage(),
        Some(Stage::Exchange)
    );
    assert_eq!(outcome.sent, Vec::<u8>::new());
}

#[tokio::test]
async fn a_server_that_closes_instead_of_its_verdict_gets_no_http() {
    let closing = async |link: &mut Link, world: &World| {
        mutual_until_its_answer(link, world).await;
        link.tls.shutdown().await.unwrap();
    };
    let outcome = against(attesting, closing).await;
    assert!(outcome.connected.unwrap_err().is_closed());
    assert_eq!(outcome.sent, Vec::<u8>::new());
}

#[tokio::test]
async fn a_server_that_closes_between_request_and_authenticator_gets_no_evidence() {
    let closing = async |link: &mut Link, world: &World| {
        let parameters = Parameters::server(world.about_clients().media_types(), Order::ClientLast);
        let (request, _) =
            atls_core::exchange::request(link, &demo::provider(), Some(&parameters)).unwrap();
        link.read().await.unwrap();
        link.write(REQUEST, &request).await.unwrap();
        link.tls.shutdown().await.unwrap();
    };
    let outcome = against(attesting, closing).await;
    assert!(outcome.connected.unwrap_err().is_closed());
    assert_eq!(outcome.sent, Vec::<u8>::new());
}

/// N1, N4: who holds the leaf key says what he likes in the first entry. Extensions that were not offered, and those of
/// later entries, our own code does not write; the core's tests forge them.
#[tokio::test]
async fn the_evidence_in_the_first_entry_is_there_and_exact() {
    type Extensions = fn(Vec<u8>) -> Vec<Extension>;
    let cases: [(Extensions, ProtocolError); 4] = [
        (|_| Vec::new(), ProtocolError::NoAttestation),
        (
            |_| vec![extension(CMW_ATTESTATION, Vec::new())],
            ProtocolError::Malformed,
        ),
        (
            |_| vec![extension(CMW_ATTESTATION, vec![0, 0])],
            ProtocolError::Malformed,
        ),
        (
            |cmw| vec![extension(CMW_ATTESTATION, [cmw, vec![0]].concat())],
            ProtocolError::Malformed,
        ),
    ];
    for (extensions, expected) in cases {
        let script = async |link: &mut Link, world: &World| {
            let (_, request) = link.read().await.unwrap();
            let view = link.with_identity(world.stolen_key()).unwrap();
            let evidence = {
                let challenge = Challenge::receive(&view, &request).unwrap();
                let made = world.server_device.attest(challenge.to_attest().unwrap());
                made.await.unwrap().encode().unwrap()
            };
            let length = u16::try_from(evidence.len()).unwrap().to_be_bytes();
            let cmw = [&length[..], &evidence].concat();
            let received = ReceivedRequest::receive(link, &request).unwrap();
            let authenticator = received.authenticate(&extensions(cmw)).unwrap();
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        };
        let outcome = against(as_is, script).await;
        let refused = outcome.connected.unwrap_err();
        assert_eq!(refused.protocol(), Some(&expected));
        assert_eq!(outcome.sent, Vec::<u8>::new());
    }
}

fn extension(code: u16, data: Vec<u8>) -> Extension {
    Extension { code, data }
}
