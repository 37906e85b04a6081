//! Services behind that answer otherwise than HTTP has it.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

use crate::kit::TRUST;
use crate::kit::forward;
use crate::kit::reverse;
use crate::kit::sent;
use crate::support::World;

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

/// What a client of HTTP/1.1 is told by both proxies, where this is answered behind them.
fn told_over_http1(answer: &[u8]) -> String {
    let world = World::new();
    let behind = world.block_on(answering(answer));
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    world.block_on(sent(front.address(), request))
}

/// A server that answers every connection with these bytes, and ends it.
async fn answering(answer: &[u8]) -> SocketAddr {
    let answer = answer.to_vec();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let _ = stream.read(&mut head).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    address
}
