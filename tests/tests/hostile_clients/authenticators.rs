//! Authenticators of clients that must attest.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use adversary::VERDICT;
use atls_tower::ServerTerms;
use end_to_end::World;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::scene::LIMIT;
use crate::scene::Scene;

#[tokio::test]
async fn http_instead_of_an_authenticator_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let _ = scene.until_challenged(&mut link).await;
    link.tls
        .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    link.tls.flush().await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn an_empty_authenticator_does_not_satisfy_a_demand() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    link.write(AUTHENTICATOR, &challenge.decline().unwrap())
        .await
        .unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn a_server_that_only_asks_serves_who_declines_and_nobody_whose_refusal_is_forged() {
    for forged in [false, true] {
        let world = World::new();
        let terms = ServerTerms::new()
            .attester(world.server_device.clone())
            .ask_peer(world.about_clients())
            .deadline(LIMIT);
        let server = world.serve(terms).await;
        let scene = Scene { world, server };
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let mut declined = scene.until_challenged(&mut link).await.decline().unwrap();
        *declined.last_mut().unwrap() ^= u8::from(forged);
        link.write(AUTHENTICATOR, &declined).await.unwrap();
        let request = b"GET /peer HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        // It may be closed already.
        let _ = link.tls.write_all(request).await;
        let _ = link.tls.flush().await;
        let answer = link.drain().await;
        assert_eq!(answer.ends_with(b"unattested"), !forged);
        assert_eq!(scene.server.hits(), usize::from(!forged));
    }
}

#[tokio::test]
async fn an_authenticator_without_evidence_does_not_satisfy_a_demand() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    link.write(
        AUTHENTICATOR,
        &challenge.answer_without_attestation().unwrap(),
    )
    .await
    .unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn the_servers_own_authenticator_reflected_is_refused() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let (request, _) = scene.request(&link);
    link.write(REQUEST, &request).await.unwrap();
    let _ = link.read().await.unwrap();
    let (_, authenticator) = link.read().await.unwrap();
    link.write(VERDICT, &[0, 0, 0, 14, 16]).await.unwrap();
    link.write(AUTHENTICATOR, &authenticator).await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn evidence_of_another_connection_is_refused() {
    let scene = Scene::new().await;
    let identity = scene.world.stolen_key();
    let mut other = scene.connect_as(Some(identity.clone())).await;
    let elsewhere = scene.until_challenged(&mut other).await;
    let evidence = scene.evidence(&elsewhere).await;
    let mut link = scene.connect_as(Some(identity)).await;
    let challenge = scene.until_challenged(&mut link).await;
    link.write(AUTHENTICATOR, &challenge.answer(&evidence).unwrap())
        .await
        .unwrap();
    drop(other);
    scene.holds(link).await;
}

#[tokio::test]
async fn an_authenticator_of_another_connection_is_refused() {
    let scene = Scene::new().await;
    let identity = scene.world.stolen_key();
    let mut other = scene.connect_as(Some(identity.clone())).await;
    let elsewhere = scene.until_challenged(&mut other).await;
    let evidence = scene.evidence(&elsewhere).await;
    let mut link = scene.connect_as(Some(identity)).await;
    let _ = scene.until_challenged(&mut link).await;
    link.write(AUTHENTICATOR, &elsewhere.answer(&evidence).unwrap())
        .await
        .unwrap();
    drop(other);
    scene.holds(link).await;
}

#[tokio::test]
async fn a_second_authenticator_does_not_repair_the_first() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let challenge = scene.until_challenged(&mut link).await;
    let evidence = scene.evidence(&challenge).await;
    let good = challenge.answer(&evidence).unwrap();
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    link.write(AUTHENTICATOR, &bad).await.unwrap();
    // It may be closed already.
    let _ = link.write(AUTHENTICATOR, &good).await;
    scene.holds(link).await;
}

#[tokio::test]
async fn a_client_that_refuses_the_server_is_not_served() {
    let scene = Scene::new().await;
    let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
    let (request, _) = scene.request(&link);
    link.write(REQUEST, &request).await.unwrap();
    link.write(VERDICT, &[2, 0, 0, 0, 0]).await.unwrap();
    scene.holds(link).await;
}

#[tokio::test]
async fn a_malformed_verdict_is_refused() {
    for verdict in [&[][..], &[0], &[0; 6], &[2, 0, 0, 0, 1]] {
        let scene = Scene::new().await;
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let (request, _) = scene.request(&link);
        link.write(REQUEST, &request).await.unwrap();
        link.write(VERDICT, verdict).await.unwrap();
        scene.holds(link).await;
    }
}

#[tokio::test]
async fn a_client_that_closes_at_any_step_harms_nobody() {
    for step in 0..5 {
        let scene = Scene::new().await;
        let socket = TcpStream::connect(scene.server.address).await.unwrap();
        if step > 0 {
            let tls = Arc::new(scene.world.client_tls(&[]));
            let mut link = Link::connect(tls, socket, Some(scene.world.stolen_key()))
                .await
                .unwrap();
            let (request, _) = scene.request(&link);
            if step > 1 {
                link.write(REQUEST, &request).await.unwrap();
            }
            for _ in 2..step {
                link.read().await.unwrap();
            }
        }
        scene.goes_on().await;
    }
}

#[tokio::test]
async fn a_client_that_stalls_at_any_step_is_closed() {
    for step in 1..5 {
        let scene = Scene::new().await;
        let mut link = scene.connect_as(Some(scene.world.stolen_key())).await;
        let (request, _) = scene.request(&link);
        if step > 1 {
            link.write(REQUEST, &request).await.unwrap();
        }
        for _ in 2..step {
            link.read().await.unwrap();
        }
        scene.outlasts(link).await;
    }
}

#[tokio::test]
async fn a_server_that_only_asks_treats_broken_frames_no_better() {
    let world = World::new();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    let server = world.serve(terms.ask_peer(world.about_clients())).await;
    let scene = Scene { world, server };
    let mut link = scene.connect().await;
    link.write(REQUEST, &[17, 0, 0, 0]).await.unwrap();
    scene.holds(link).await;
}
