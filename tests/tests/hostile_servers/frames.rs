//! Servers that stall, close, or send broken frames.

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::VERDICT;
use atls_core::ProtocolError;
use atls_core::limits::MAX_FRAME;
use atls_tower::Stage;
use end_to_end::World;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use crate::against::against;
use crate::against::as_is;
use crate::against::good_authenticator;
use crate::against::outlast;

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
        outlast().await;
    };
    assert_eq!(
        against(as_is, silent).await.connected.unwrap_err().stage(),
        Some(Stage::Exchange)
    );
    for bytes in [&[2][..], &[2, 0, 0], &[2, 0, 0, 4, 0, 11]] {
        let half = async |link: &mut Link, _: &World| {
            link.read().await.unwrap();
            link.tls.write_all(bytes).await.unwrap();
            link.tls.flush().await.unwrap();
            outlast().await;
        };
        assert_eq!(
            against(as_is, half).await.connected.unwrap_err().stage(),
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
