//! Requests and answers that make no progress.

use axum::Router;
use axum::extract::Request;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use crate::scene::BOTH;
use crate::scene::DATA;
use crate::scene::END_HEADERS;
use crate::scene::END_STREAM;
use crate::scene::GET;
use crate::scene::HEADERS;
use crate::scene::LIMIT;
use crate::scene::PING;
use crate::scene::PREFACE;
use crate::scene::SETTINGS;
use crate::scene::Scene;
use crate::scene::closed;
use crate::scene::ended;
use crate::scene::frame;
use crate::scene::head;
use crate::scene::limit_passes;
use crate::scene::read_until;
use crate::scene::say;

const POST: u8 = 0x83;

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.request_body = LIMIT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        let request = b"POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf";
        say(&mut link, request).await;
        limit_passes().await;
        let answer = closed(&mut link).await;
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");

        let scene = Scene::new(by, |limits| {
            limits.request_body = LIMIT;
            limits.idle = LIMIT;
        });
        let scene = scene.await;
        let mut link = scene.connect(&["h2"]).await;
        let request = frame(HEADERS, END_HEADERS, 1, &head(POST, "/body"));
        say(
            &mut link,
            &[PREFACE, &frame(SETTINGS, 0, 0, &[]), &request].concat(),
        )
        .await;
        // The body's, and that of a connection without a request.
        limit_passes().await;
        limit_passes().await;
        scene.has_room().await;
    }
}

#[tokio::test]
async fn an_answer_that_has_begun_and_its_request_take_as_long_as_they_like() {
    for by in BOTH {
        let echo = Router::new().fallback(async |request: Request| request.into_body());
        let scene = Scene::serving(by, echo, |limits| {
            limits.request_body = LIMIT;
            limits.unread = LIMIT;
        });
        let scene = scene.await;
        let mut link = scene.connect(&["h2"]).await;
        let request = frame(HEADERS, END_HEADERS, 1, &head(POST, "/"));
        say(
            &mut link,
            &[PREFACE, &frame(SETTINGS, 0, 0, &[]), &request].concat(),
        )
        .await;
        for part in [b"one", b"two"] {
            say(&mut link, &frame(DATA, 0, 1, part)).await;
            read_until(&mut link, part).await;
            limit_passes().await;
            limit_passes().await;
        }
    }
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.unread = LIMIT).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        say(&mut link, b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        limit_passes().await;
        scene.has_room().await;
        drop(link);
    }
}

#[tokio::test]
async fn an_http_2_client_that_gives_no_window_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.unread = LIMIT).await;
        let mut link = scene.connect(&["h2"]).await;
        // SETTINGS_INITIAL_WINDOW_SIZE of 16 bytes.
        let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 16]);
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head(GET, "/large"));
        say(&mut link, &[PREFACE, &settings, &request].concat()).await;
        limit_passes().await;
        scene.has_room().await;
        closed(&mut link).await;
    }
}

#[tokio::test]
async fn an_http_2_client_that_gives_no_window_at_all_is_closed() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| {
            limits.unread = LIMIT;
            limits.idle = LIMIT;
            limits.first_request = LIMIT;
        });
        let scene = scene.await;
        let mut link = scene.connect(&["h2"]).await;
        // SETTINGS_INITIAL_WINDOW_SIZE of nothing.
        let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, &head(GET, "/"));
        say(&mut link, &[PREFACE, &settings, &request].concat()).await;
        limit_passes().await;
        closed(&mut link).await;
        scene.has_room().await;
    }
}

#[tokio::test]
async fn a_request_that_would_upgrade_does_not_keep_an_http_2_connection_by_pings() {
    // `:method: CONNECT`, `:authority: localhost`.
    let connect = b"\x02\x07CONNECT\x01\x09localhost".to_vec();
    let switched = head(GET, "/upgrade");
    for (by, fields) in BOTH.map(|by| [(by, &connect), (by, &switched)]).concat() {
        let scene = Scene::new(by, |limits| {
            limits.unread = LIMIT;
            limits.idle = LIMIT;
            limits.first_request = LIMIT;
        });
        let scene = scene.await;
        let mut link = scene.connect(&["h2"]).await;
        let request = frame(HEADERS, END_STREAM | END_HEADERS, 1, fields);
        let opening = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &request].concat();
        say(&mut link, &opening).await;
        let ping = frame(PING, 0, 0, &[0; 8]);
        let mut scrap = [0; 1024];
        let pinging = async {
            while link.tls.write_all(&ping).await.is_ok()
                && link.tls.flush().await.is_ok()
                && link.tls.read(&mut scrap).await.is_ok_and(|read| read > 0)
            {}
        };
        tokio::join!(ended(pinging), limit_passes());
    }
}
