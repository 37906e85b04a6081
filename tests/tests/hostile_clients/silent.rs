//! Clients that are silent, stall, close or are slow.

use adversary::AUTHENTICATOR;
use adversary::VERDICT;
use end_to_end::time::wait_settled;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::scene::LIMIT;
use crate::scene::Scene;

#[tokio::test]
async fn an_attacker_that_keeps_the_rules_is_a_client() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    let cmw = scene.evidence(&challenge).await;
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
    let scene = Scene::new().await;
    let link = scene.connect().await;
    scene.outlasts(link).await;
}

#[tokio::test]
async fn a_client_silent_in_tls_is_closed() {
    let scene = Scene::new().await;
    let mut socket = TcpStream::connect(scene.server.address).await.unwrap();
    wait_settled(LIMIT).await;
    let mut bytes = Vec::new();
    assert_eq!(socket.read_to_end(&mut bytes).await.unwrap_or(0), 0);
    scene.goes_on().await;
}

#[tokio::test]
async fn half_a_frame_is_not_waited_for() {
    for bytes in [&[1][..], &[1, 0, 0], &[1, 0, 0, 0, 9, 17]] {
        let scene = Scene::new().await;
        let mut link = scene.connect().await;
        link.tls.write_all(bytes).await.unwrap();
        link.tls.flush().await.unwrap();
        scene.outlasts(link).await;
    }
}
