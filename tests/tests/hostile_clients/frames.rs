//! Frames, requests and HTTP in the wrong place.

use adversary::AUTHENTICATOR;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_core::limits::MAX_FRAME;
use tokio::io::AsyncWriteExt;

use crate::scene::Scene;

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
    let scene = Scene::new().await;
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
