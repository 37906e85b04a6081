//! Messages that are altered, cut or padded.

use adversary::AUTHENTICATOR;
use adversary::REQUEST;
use adversary::VERDICT;
use tokio::io::AsyncWriteExt;

use crate::scene::Scene;
use crate::scene::good_authenticator;

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
        let scene = Scene::new().await;
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let authenticator = good_authenticator(&scene, &mut link).await;
        if attests {
            link.write(AUTHENTICATOR, &authenticator).await.unwrap();
        }
        if closes {
            link.tls.shutdown().await.unwrap();
            scene.holds(link).await;
        } else {
            scene.outlasts(link).await;
        }
    }
}
