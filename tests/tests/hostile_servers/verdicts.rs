//! Verdicts, and the HTTP that they let through.

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::VERDICT;
use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::exchange::Challenge;
use atls_core::exchange::RefusalCode;
use end_to_end::World;

use crate::against::Outcome;
use crate::against::against;
use crate::against::as_is;

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
