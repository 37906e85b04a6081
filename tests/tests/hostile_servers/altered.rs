//! Authenticators that are altered, cut, repeated or padded.

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use end_to_end::World;
use tokio::io::AsyncReadExt;

use crate::against::Outcome;
use crate::against::against;
use crate::against::as_is;
use crate::against::attesting;
use crate::against::good_authenticator;

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
