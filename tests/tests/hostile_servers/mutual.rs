//! Servers that ask for Evidence and break off.

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::Attester;
use atls_core::ProtocolError;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_tower::Stage;
use end_to_end::World;
use tokio::io::AsyncWriteExt;

use crate::against::against;
use crate::against::as_is;
use crate::against::attesting;
use crate::against::outlast;

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
    let stalling = async |link: &mut Link, world: &World| {
        mutual_until_its_answer(link, world).await;
        outlast().await;
    };
    let outcome = against(attesting, stalling).await;
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
