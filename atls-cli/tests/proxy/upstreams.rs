//! Services behind that answer otherwise than HTTP has it.

use std::time::Duration;

use crate::kit::TRUST;
use crate::kit::answering;
use crate::kit::fetch;
use crate::kit::forward;
use crate::kit::reverse;
use crate::kit::sent;
use crate::support::World;

#[test]
fn a_way_to_the_service_that_leaves_the_machine_is_told() {
    let world = World::new();
    for (upstream, told) in [("http://127.0.0.1:9", false), ("http://192.0.2.1:9", true)] {
        let proxy = reverse(&world, upstream, &[]);
        let said = proxy.said();
        assert_eq!(said.contains("nothing protects the way"), told, "{said}");
    }
}

#[test]
fn an_answer_has_the_version_of_this_hop() {
    let world = World::new();
    let behind = world.block_on(answering(b"HTTP/1.0 200 OK\r\n\r\nhello"));
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let url = proxy.url("/");
    let get = [&["get", &url, "-i", "--http", "1.1"], &TRUST[..]].concat();
    let told = world.atls(&get).ends_with(0).out();
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert!(told.ends_with("hello"), "{told}");
}

#[test]
fn the_length_of_a_chunked_answer_is_not_the_one_that_is_claimed() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let told = told_over_http1(answer);
    assert!(!told.contains("content-length: 2"), "{told}");
    assert!(told.contains("hello"), "{told}");
    for version in ["1.1", "2"] {
        let world = World::new();
        let behind = world.block_on(answering(answer));
        let proxy = reverse(&world, &format!("http://{behind}"), &[]);
        let url = proxy.url("/");
        let get = [&["get", &url, "--http", version], &TRUST[..]].concat();
        assert_eq!(world.atls(&get).ends_with(0).out(), "hello");
    }
}

#[test]
fn no_other_protocol_begins_than_the_one_that_was_asked_for() {
    let websocket = "Connection: upgrade\r\nUpgrade: websocket\r\n";
    for (asked, agreed) in [("", "websocket"), ("", "h2c"), (websocket, "h2c")] {
        let world = World::new();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: {agreed}\r\n\r\nother"
        );
        let behind = world.block_on(answering(answer.as_bytes()));
        let back = reverse(&world, &format!("http://{behind}"), &[]);
        let front = forward(&world, &back);
        let close = "Connection: close\r\n";
        let request = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{close}{asked}\r\n");
        let told = world.block_on(sent(front.address(), request.as_bytes()));
        assert!(told.starts_with("HTTP/1.1 502"), "{asked}{agreed}: {told}");
        assert!(!told.contains("other"), "{asked}{agreed}: {told}");
    }
}

#[test]
fn an_answer_that_is_none_is_a_502_that_tells_nothing_of_the_inside() {
    let wide = [&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'x'; 1 << 20]].concat();
    let many = [&b"HTTP/1.1 200 OK\r\n"[..], &b"X: y\r\n".repeat(1 << 16)].concat();
    for answer in [
        &b""[..],
        b"garbage\0\xff",
        b"hello, this is HTTP/0.9",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"\x15\x03\x01\0\x02\x02\x46",
        b"HTTP/1.1 200",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nX: a\r\n Atls-Status: folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        &wide,
        &many,
    ] {
        let world = World::new();
        let behind = world.block_on(answering(answer));
        let proxy = reverse(&world, &format!("http://{behind}"), &[]);
        let url = proxy.url("/");
        let get = [&["get", &url, "-i", "--http", "1.1"], &TRUST[..]].concat();
        let told = world.atls(&get).ends_with(0).out();
        let shown = String::from_utf8_lossy(answer.get(..60).unwrap_or(answer));
        assert!(told.starts_with("HTTP/1.1 502"), "{shown}: {told}");
        let body = told.split_once("\n\n").unwrap().1;
        let detail = "the service behind this proxy gave no answer";
        assert!(body.contains(detail), "{shown}: {told}");
        assert!(!told.contains(&behind.port().to_string()), "{told}");
    }
}

#[test]
fn an_answer_that_is_cut_short_is_not_handed_on_as_whole() {
    let endless = [&b"5;"[..], &[b'x'; 1 << 20]].concat();
    let chunked = |rest: &[u8]| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        [&head[..], rest].concat()
    };
    for answer in [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello".to_vec(),
        chunked(b""),
        chunked(b"zz\r\n"),
        chunked(b"ffffffffffffffffff\r\n"),
        chunked(&endless),
        chunked(b"0\r\nAtls-Status: affirming"),
    ] {
        for version in ["1.1", "2"] {
            let world = World::new();
            let behind = world.block_on(answering(&answer));
            let proxy = reverse(&world, &format!("http://{behind}"), &[]);
            let url = proxy.url("/");
            let get = [&["get", &url, "--http", version], &TRUST[..]].concat();
            let shown = String::from_utf8_lossy(answer.get(..90).unwrap_or(&answer)).into_owned();
            let ran = world.atls(&get);
            assert_eq!(ran.code(), 5, "{version} {shown}: {}", ran.out());
        }
    }
}

#[test]
fn what_comes_before_an_answer_is_not_the_answer() {
    let hints = "HTTP/1.1 103 Early Hints\r\nAtls-Status: affirming\r\nLink: </a>\r\n\r\n";
    let answer = format!("{hints}{hints}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    let told = told_over_http1(answer.as_bytes());
    assert!(told.starts_with("HTTP/1.1 200"), "{told}");
    assert!(told.ends_with("hello"), "{told}");
    assert_eq!(told.matches("atls-status").count(), 1, "{told}");
}

#[test]
fn no_server_can_have_the_headers_of_the_proxy_removed_or_doubled() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: atls-status, atls-binding, close\r\n\
                  Atls-Status: a-lie\r\nATLS_STATUS: a-lie\r\nAtls-Status: a-lie\r\nContent-Length: 5\r\n\r\nhello";
    let told = told_over_http1(answer.as_bytes());
    assert!(told.contains("atls-status: affirming\r\n"), "{told}");
    assert!(told.contains("atls-binding: connection\r\n"), "{told}");
    assert!(!told.contains("a-lie"), "{told}");
}

#[test]
fn a_socket_that_is_none_or_gone_is_a_502() {
    let world = World::new();
    world.write("file.sock", "no socket");
    for upstream in [
        "unix:absent.sock",
        "unix:file.sock",
        "unix:.",
        "unix+h2c:absent.sock",
    ] {
        let proxy = reverse(&world, upstream, &[]);
        let url = proxy.url("/");
        let get = [&["get", &url, "-i"], &TRUST[..]].concat();
        let told = world.atls(&get).ends_with(0).out();
        assert!(told.starts_with("HTTP/2.0 502"), "{upstream}: {told}");
        assert!(!told.contains(".sock"), "{upstream}: {told}");
    }
}

#[test]
fn a_service_that_closes_its_side_first_has_answered_all_the_same() {
    let world = World::new();
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let behind = world.block_on(answering(answer));
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    for _ in 0..3 {
        let answered = async { tokio::time::timeout(PATIENCE, fetch(front.address(), "/")).await };
        let (head, body) = world.block_on(answered).unwrap();
        assert_eq!((head.status, body.as_str()), (200, "hello"));
    }
}

/// What a client of HTTP/1.1 is told by both proxies, where this is answered behind them.
fn told_over_http1(answer: &[u8]) -> String {
    let world = World::new();
    let behind = world.block_on(answering(answer));
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    world.block_on(sent(front.address(), request))
}

const PATIENCE: Duration = Duration::from_secs(30);
