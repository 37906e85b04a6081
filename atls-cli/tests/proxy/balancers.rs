//! Load balancers that speak the PROXY protocol.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::kit::reverse;
use crate::support::World;

const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 4660 443\r\n";

#[test]
fn the_client_is_whom_a_trusted_balancer_names() {
    let four = [192, 0, 2, 7, 198, 51, 100, 1, 0x12, 0x34, 1, 0xbb];
    let binary = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &four].concat();
    for header in [LINE, &binary] {
        let told = through(header, "127.0.0.0/8").0;
        assert!(told.contains("x-forwarded-for: 192.0.2.7\n"), "{told}");
    }
}

#[test]
fn a_trusted_balancer_must_say_and_nobody_else_may() {
    assert_ne!(
        through(b"", "127.0.0.0/8").1,
        0,
        "no header from a balancer"
    );
    assert_ne!(
        through(LINE, "10.0.0.0/8").1,
        0,
        "a header from somebody else"
    );
    let (told, code) = through(b"", "10.0.0.0/8");
    assert_eq!(code, 0);
    assert!(told.contains("x-forwarded-for: 127.0.0.1\n"), "{told}");
}

#[test]
fn a_balancer_that_says_nothing_holds_up_nobody() {
    let world = World::new();
    let behind = world.plain(echo());
    let trusted = ["--proxy-protocol", "127.0.0.0/8"];
    let proxy = reverse(&world, &format!("http://{behind}"), &trusted);
    let silent = std::net::TcpStream::connect(proxy.address()).unwrap();
    let port = world.block_on(balancer(&world, LINE, proxy.address()));
    let url = format!("https://localhost:{port}/");
    world
        .atls(&[&["get", &url], &TRUST[..]].concat())
        .ends_with(0);
    drop(silent);
}

/// The answer through a balancer that begins connections with these bytes, and the exit code.
fn through(header: &[u8], trusted: &str) -> (String, i32) {
    let world = World::new();
    let behind = world.plain(echo());
    let trusted = ["--proxy-protocol", trusted];
    let proxy = reverse(&world, &format!("http://{behind}"), &trusted);
    let port = world.block_on(balancer(&world, header, proxy.address()));
    let url = format!("https://localhost:{port}/");
    let ran = world.atls(&[&["get", &url, "--timeout", "20"], &TRUST[..]].concat());
    (ran.out(), ran.code())
}

async fn balancer(world: &World, header: &[u8], to: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let header = header.to_vec();
    world.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(to).await.unwrap();
            server.write_all(&header).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        }
    });
    port
}
