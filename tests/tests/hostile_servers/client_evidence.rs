//! The Evidence of a client, and whom it is given to.

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::exchange::Challenge;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use end_to_end::World;

use crate::against::Outcome;
use crate::against::against;
use crate::against::as_is;
use crate::against::attesting;

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
