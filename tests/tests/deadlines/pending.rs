//! Connections before their first request.

use atls_tower::ConnectionLimits;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use crate::scene::BOTH;
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

const RST_STREAM: u8 = 3;

const CONTINUATION: u8 = 9;

#[tokio::test]
async fn a_piece_of_an_http_2_preface_holds_no_connection() {
    for by in BOTH {
        for alpn in [&[][..], &["h2"], &["http/1.1"]] {
            let scene = Scene::with(by, |builder| {
                let mut limits = ConnectionLimits::default();
                limits.first_request = LIMIT;
                builder.limits(limits)
            });
            let scene = scene.await;
            let mut links = Vec::new();
            for length in 1..PREFACE.len() {
                let mut link = scene.connect(alpn).await;
                say(&mut link, PREFACE.get(..length).unwrap()).await;
                links.push(link);
            }
            limit_passes().await;
            for mut link in links {
                closed(&mut link).await;
            }
        }
    }
}

#[tokio::test]
async fn a_connection_is_pending_until_its_first_request() {
    for by in BOTH {
        for opening in [
            &b"P"[..],
            b"GET / HTTP/1.1\r\nhost: localhost\r\n",
            &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat(),
        ] {
            let scene = Scene::with(by, |builder| {
                let mut limits = ConnectionLimits::default();
                limits.first_request = LIMIT;
                builder.limits(limits).pending(1)
            });
            let scene = scene.await;
            let mut link = scene.connect(&[]).await;
            say(&mut link, opening).await;
            limit_passes().await;
            scene.has_room().await;
            closed(&mut link).await;
        }
    }
}

#[tokio::test]
async fn a_connection_is_pending_no_more_once_its_request_is_served() {
    for by in BOTH {
        let scene = Scene::with(by, |builder| builder.pending(1)).await;
        let mut link = scene.connect(&["http/1.1"]).await;
        say(&mut link, b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        scene.slow.reached_by(1).await;
        scene.has_room().await;
        scene.slow.open();
        read_until(&mut link, b"at last").await;
    }
}

#[tokio::test]
async fn http_2_clients_that_ask_nothing_whole_are_closed() {
    let settings = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    let headers = frame(HEADERS, END_STREAM, 1, &head(GET, "/"));
    for by in BOTH {
        for opening in [
            settings.clone(),
            [settings.clone(), headers.clone()].concat(),
        ] {
            let scene = Scene::new(by, |limits| limits.first_request = LIMIT).await;
            let mut link = scene.connect(&["h2"]).await;
            say(&mut link, &opening).await;
            limit_passes().await;
            scene.has_room().await;
            closed(&mut link).await;
        }
    }
}

/// The deadline is the clock's, not that of a timer which runs while nothing arrives.
#[tokio::test]
async fn pings_do_not_keep_an_http_2_connection() {
    for by in BOTH {
        let scene = Scene::new(by, |limits| limits.first_request = LIMIT).await;
        let mut link = scene.connect(&["h2"]).await;
        say(&mut link, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        let ping = frame(PING, 0, 0, &[0; 8]);
        let mut scrap = [0; 1024];
        let pinging = async {
            while link.tls.write_all(&ping).await.is_ok()
                && link.tls.flush().await.is_ok()
                && link.tls.read(&mut scrap).await.is_ok_and(|read| read > 0)
            {}
        };
        tokio::join!(ended(pinging), limit_passes());
        scene.has_room().await;
    }
}

#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    for by in BOTH {
        let scene = Scene::new(by, |_| {}).await;
        let mut link = scene.connect(&["h2"]).await;
        let opening = [
            PREFACE,
            &frame(SETTINGS, 0, 0, &[]),
            &frame(HEADERS, 0, 1, &[]),
        ]
        .concat();
        say(&mut link, &opening).await;
        let more = frame(CONTINUATION, 0, 1, &[]).repeat(100);
        let mut sent = 0;
        while link.tls.write_all(&more).await.is_ok() && link.tls.flush().await.is_ok() {
            sent += more.len();
            assert!(sent < 64 << 20, "the server takes whatever comes");
        }
        scene.has_room().await;
    }
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    for by in BOTH {
        let scene = Scene::new(by, |_| {}).await;
        let mut link = scene.connect(&["h2"]).await;
        say(&mut link, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
        let mut stream = 1;
        let mut ended = false;
        while !ended {
            let mut flight = Vec::new();
            for _ in 0..1000 {
                let flags = END_STREAM | END_HEADERS;
                flight.extend(frame(HEADERS, flags, stream, &head(GET, "/slow")));
                flight.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
                stream += 2;
            }
            assert!(stream < 1_000_000, "the server takes whatever comes");
            ended = link.tls.write_all(&flight).await.is_err() || link.tls.flush().await.is_err();
        }
        drop(link);
        scene.has_room().await;
    }
}
