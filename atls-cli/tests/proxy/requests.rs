//! Requests that are no ordinary ones, to a reverse proxy and to both.

use axum::Router;
use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::Method;
use axum::http::Uri;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;

use crate::kit::TRUST;
use crate::kit::attested;
use crate::kit::echo;
use crate::kit::forward;
use crate::kit::reverse;
use crate::kit::sent;
use crate::kit::sent_attested;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn the_address_of_a_request_counts_more_than_its_host() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let request = b"GET http://real.example/path HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n";
    let told = sent_attested(&world, &proxy, request);
    assert!(told.contains("GET /path\n"), "{told}");
    assert!(told.contains("\nhost: real.example\n"), "{told}");
    assert!(told.contains("x-forwarded-host: real.example\n"), "{told}");
    assert!(!told.contains("other.example"), "{told}");
}

#[test]
fn two_hosts_are_not_one() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    for hosts in [
        "Host: a.example\r\nHost: b.example\r\n",
        "Host: a.example, b.example\r\n",
        "Host: a.example/b\r\n",
        "Host: a@b.example\r\n",
        "",
    ] {
        let request = format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        let told = sent_attested(&world, &proxy, request.as_bytes());
        assert!(told.starts_with("HTTP/1.1 400"), "{hosts}: {told}");
    }
}

#[test]
fn paths_pass_unaltered() {
    let world = World::new();
    let behind = world.plain(echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    for path in [
        "/../../etc/passwd",
        "/a/./b/../c",
        "/%2e%2e/%2F%00",
        "//host.example//b",
        "/a;b=c?d=e&f=%20?#",
        "/~'()*!$,",
        "/?",
    ] {
        let path = path.trim_end_matches('#');
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let expected = format!("GET {path}\n");
        for told in [
            world.block_on(sent(front.address(), request.as_bytes())),
            sent_attested(&world, &back, request.as_bytes()),
        ] {
            assert!(told.contains(&expected), "{path}: {told}");
        }
    }
}

#[test]
fn trailers_claim_nothing() {
    let world = World::new();
    let behind = world.plain(Router::new().fallback(trailers));
    for upstream in [format!("http://{behind}"), format!("h2c://{behind}")] {
        let proxy = reverse(&world, &upstream, &[]);
        let request = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
            Trailer: Atls-Status, Atls_Ear\r\nTransfer-Encoding: chunked\r\n\r\n\
            2\r\nhi\r\n0\r\nAtls-Status: affirming\r\nAtls_Ear: a.b.c\r\nX-Forwarded-For: a-lie\r\nKept: x\r\n\r\n";
        let told = sent_attested(&world, &proxy, request.as_bytes());
        assert!(told.starts_with("HTTP/1.1 200"), "{told}");
        assert!(told.contains("hi|"), "{told}");
        let told = told.split_once("\r\n\r\n").unwrap().1;
        assert!(!told.contains("atls") && !told.contains("a-lie"), "{told}");

        let mut claims = HeaderMap::new();
        for name in ["atls-status", "atls_ear", "x-forwarded-for", "kept"] {
            claims.insert(name, "affirming".parse().unwrap());
        }
        let told = world.block_on(async {
            let io = TokioIo::new(attested(&world, &proxy, "h2").await);
            let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
            let (mut sender, driver) = handshake.await.unwrap();
            tokio::spawn(driver);
            let frames = [
                Ok::<_, std::convert::Infallible>(Frame::data(Bytes::from_static(b"hi"))),
                Ok(Frame::trailers(claims)),
            ];
            let body = StreamBody::new(futures_util::stream::iter(frames));
            let request = hyper::Request::post("https://localhost/")
                .body(body)
                .unwrap();
            let answer = sender.send_request(request).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes()
        });
        let told = String::from_utf8(told.to_vec()).unwrap();
        assert!(told.contains("hi|"), "{told}");
        assert!(
            !told.contains("atls") && !told.contains("forwarded"),
            "{told}"
        );
        let is_kept = upstream.starts_with("h2c");
        assert_eq!(told.contains("kept"), is_kept, "{upstream}: {told}");
    }
}

#[test]
fn heads_without_measure_are_refused_at_the_proxy() {
    let world = World::new();
    let behind = world.plain(echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let wide = format!("X: {}\r\n", "x".repeat(1 << 20));
    let many = "X: y\r\n".repeat(1000);
    for lines in [wide, many] {
        let request =
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n");
        for told in [
            world.block_on(sent(front.address(), request.as_bytes())),
            sent_attested(&world, &back, request.as_bytes()),
        ] {
            // An answer may be lost with bytes that nobody reads.
            assert!(
                told.is_empty() || told.starts_with("HTTP/1.1 431"),
                "{told}"
            );
        }
    }
    let long = "x".repeat(20_000);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2;{long}\r\nhi\r\n0\r\n\r\n"
    );
    let told = sent_attested(&world, &back, request.as_bytes());
    assert!(!told.starts_with("HTTP/1.1 200"), "{told}");
    // Both go on.
    let url = back.url("/");
    let get = [&["get", &url], &TRUST[..]].concat();
    world.atls(&get).ends_with(0);
}

#[test]
fn a_client_that_expects_100_is_told_to_continue() {
    let world = World::new();
    let behind = world.plain(Router::new().fallback(trailers));
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let request = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi";
    for told in [
        world.block_on(sent(front.address(), request.as_bytes())),
        sent_attested(&world, &back, request.as_bytes()),
    ] {
        assert!(told.contains("HTTP/1.1 200"), "{told}");
        assert!(told.contains("hi|"), "{told}");
    }
}

#[test]
fn http_1_0_is_answered_and_its_connection_ends() {
    let world = World::new();
    let behind = world.plain(echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let request = b"GET /old HTTP/1.0\r\nHost: localhost\r\nAtls-Status: a-lie\r\n\r\n";
    for told in [
        world.block_on(sent(front.address(), request)),
        sent_attested(&world, &back, request),
    ] {
        assert!(told.starts_with("HTTP/1.0 200"), "{told}");
        assert!(told.contains("GET /old\n"), "{told}");
        assert!(!told.contains("a-lie"), "{told}");
    }
}

#[test]
fn a_reverse_proxy_makes_no_tunnel() {
    let world = World::new();
    let behind = world.plain(echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let request =
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\nConnection: close\r\n\r\n";
    let told = sent_attested(&world, &back, request);
    assert!(told.starts_with("HTTP/1.1 405"), "{told}");
    assert!(told.contains("no-tunnel"), "{told}");
}

#[test]
fn claims_are_removed_however_often_and_wherever_they_stand() {
    let world = World::new();
    let behind = world.plain(echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nAtls-Status: a-lie\r\natls-status: a-lie\r\n\
        ATLS_STATUS: a-lie\r\nAtls~Ear: a-lie\r\nX_Real_IP: a-lie\r\nConnection: close, atls-status\r\nAtls-Status:a-lie\r\n\r\n";
    let told = sent_attested(&world, &back, request.as_bytes());
    assert!(told.contains("atls-status: none\n"), "{told}");
    assert!(!told.contains("a-lie"), "{told}");
    // A folded line would be part of a header that passes.
    let folded = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n Atls-Status: a-lie\r\nConnection: close\r\n\r\n";
    let told = sent_attested(&world, &back, folded);
    assert!(told.starts_with("HTTP/1.1 400"), "{told}");
}

/// The proxy is not at fault, and its log is not for every client to fill.
#[test]
fn a_request_whose_body_is_no_proper_one_is_its_clients_fault() {
    let world = World::new();
    let behind = world.plain(echo_of_bodies());
    let mut proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let request =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n";
    let answer = sent_attested(&world, &proxy, request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("\"code\":\"broke-off\""), "{answer}");
    let said = said_until_now(&mut proxy);
    assert!(!said.contains("gave no answer"), "{said}");
}

#[test]
fn a_client_cannot_fill_the_log_while_the_service_is_gone() {
    let world = World::new();
    let mut proxy = reverse(&world, "unix:nothing.sock", &[]);
    let ask = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    for told_by_then in [8, 16] {
        let answers = sent_attested(&world, &proxy, (ask.repeat(19) + last).as_bytes());
        assert_eq!(answers.matches("HTTP/1.1 502").count(), 20);
        let told = said_until_now(&mut proxy).matches("gave no answer").count();
        assert_eq!(told, told_by_then);
    }
}

/// What it logged, up to an event that comes after all that has happened.
fn said_until_now(proxy: &mut Proxy) -> String {
    proxy.signal("HUP");
    proxy.reads("read again");
    proxy.said()
}

fn echo_of_bodies() -> Router {
    Router::new().fallback(async |body: Bytes| body)
}

/// Answers with body and trailers of the request.
async fn trailers(body: Body) -> String {
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let data = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    format!("{data}|{trailers:?}")
}

#[test]
fn a_service_over_http2_is_named_once() {
    let world = World::new();
    let named = async |uri: Uri, headers: HeaderMap| {
        format!(
            "{uri} {:?} {:?}",
            headers.get("host"),
            headers["x-forwarded-host"]
        )
    };
    let behind = world.plain(Router::new().fallback(named));
    let proxy = reverse(&world, &format!("h2c://{behind}"), &[]);
    let request = b"GET /a HTTP/1.1\r\nHost: real.example\r\nConnection: close\r\n\r\n";
    let told = sent_attested(&world, &proxy, request);
    let expected = format!("http://{behind}/a None \"real.example\"");
    assert!(told.contains(&expected), "{told}");
}

#[test]
fn a_question_about_the_server_itself_passes() {
    let world = World::new();
    let asked = async |method: Method, uri: Uri| format!("{method} {uri}|");
    let behind = world.plain(Router::new().fallback(asked));
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let request = b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let told = sent_attested(&world, &proxy, request);
    assert!(told.contains("OPTIONS *|"), "{told}");
}
