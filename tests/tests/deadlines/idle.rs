//! Connections without a request under way.

use std::sync::Arc;

use atls_axum::KeepOpen;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use end_to_end::World;
use end_to_end::http2;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use crate::scene::BOTH;
use crate::scene::CONNECT;
use crate::scene::DATA;
use crate::scene::END_HEADERS;
use crate::scene::END_STREAM;
use crate::scene::HEADERS;
use crate::scene::LIMIT;
use crate::scene::Scene;
use crate::scene::closed;
use crate::scene::ended;
use crate::scene::frame;
use crate::scene::limit_passes;
use crate::scene::read_until;
use crate::scene::say;

#[tokio::test]
async fn an_idle_connection_is_closed_with_a_goodbye() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.idle = LIMIT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        for _ in 0..2 {
            say(&mut link, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
            read_until(&mut link, b"hello").await;
        }
        let mut rest = Vec::new();
        limit_passes().await;
        // Without close_notify it would be an error.
        let ended = ended(link.tls.read_to_end(&mut rest)).await;
        assert_eq!(ended.unwrap(), 0);

        let client = scene.world.plain_client(&["h2"]);
        let url = format!("https://localhost:{}/", scene.address.port());
        assert!(client.get(url).send().await.is_ok());
        limit_passes().await;
        scene.has_room().await;
    }
}

#[tokio::test]
async fn an_upgrade_that_is_never_used_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.idle = LIMIT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        let request = b"GET /upgrade HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
        say(&mut link, request).await;
        read_until(&mut link, b"\r\n\r\n").await;
        say(&mut link, b"!").await;
        read_until(&mut link, b"!").await;
        limit_passes().await;
        scene.has_room().await;
        closed(&mut link).await;
    }
}

/// Of HTTP/2: its request has been answered, and no byte passes.
#[tokio::test]
async fn a_tunnel_that_is_held_open_keeps_its_connection_and_no_longer() {
    for by in BOTH {
        let app = Router::new().fallback(echo_through_a_tunnel);
        let scene = Scene::serving(by, app, |limits| limits.idle = LIMIT).await;
        let mut link = scene.connect(&["h2"]).await;
        http2::begin(&mut link.tls).await.unwrap();
        say(&mut link, &frame(HEADERS, END_HEADERS, 1, CONNECT)).await;
        limit_passes().await;
        limit_passes().await;
        say(&mut link, &frame(DATA, 0, 1, b"!")).await;
        read_until(&mut link, b"!").await;
        // The tunnel ends, and nothing else is on the connection.
        say(&mut link, &frame(DATA, END_STREAM, 1, b"")).await;
        limit_passes().await;
        closed(&mut link).await;
        scene.has_room().await;
    }
}

async fn echo_through_a_tunnel(open: KeepOpen, mut request: Request) -> StatusCode {
    let tunnel = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut tunnel = TokioIo::new(tunnel.await.unwrap());
        while let Ok(byte) = tunnel.read_u8().await {
            tunnel.write_u8(byte).await.unwrap();
        }
        drop(open);
    });
    StatusCode::OK
}

#[tokio::test]
async fn all_connections_are_bounded_those_that_are_served_included() {
    for by in BOTH {
        let scene = Scene::new(by, |_| {}).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        say(&mut link, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        read_until(&mut link, b"hello").await;
        let url = format!("https://localhost:{}/", scene.address.port());
        let second = tokio::spawn(scene.world.plain_client(&["h2"]).get(url).send());
        say(&mut link, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        read_until(&mut link, b"hello").await;
        assert!(!second.is_finished(), "a second connection is served");
        link.tls.shutdown().await.unwrap();
        assert!(second.await.unwrap().is_ok());
    }
}

/// A peer with a full window keeps neither task nor socket.
#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_although_the_peer_takes_nothing() {
    let world = World::new();
    let acceptor = ServerAcceptor::new(world.server_tls(), ServerTerms::plain()).unwrap();
    let (near, far) = tokio::io::duplex(16 * 1024);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(world.client_tls(&[])));
    let client = async {
        let name = "localhost".try_into().unwrap();
        let mut client = connector.connect(name, near).await.unwrap();
        client.write_all(b"G").await.unwrap();
        client.flush().await.unwrap();
        client
    };
    let (_client, server) = tokio::join!(client, acceptor.accept(far));
    let mut server = server.unwrap();
    let filling = async {
        loop {
            server.write_all(&[0; 1024]).await.unwrap();
        }
    };
    let full = tokio::time::timeout(LIMIT, filling).await;
    assert!(full.is_err());
    let ended = server.shutdown().await.unwrap_err();
    assert_eq!(ended.kind(), std::io::ErrorKind::TimedOut);
}
