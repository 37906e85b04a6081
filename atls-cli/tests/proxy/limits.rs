//! How much of a proxy its clients may take.

use axum::Router;
use axum::routing::get;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::kit::TRUST;
use crate::kit::attested;
use crate::kit::echo;
use crate::kit::fetch;
use crate::kit::reverse;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn a_connection_too_many_to_a_forward_proxy_waits_until_another_ends() {
    let world = World::new();
    let app = Router::new().route("/", get(async || "hello"));
    let url = world.attested(world.device("device"), app);
    let listen = [
        "--listen",
        "127.0.0.1:0",
        "--to",
        &url,
        "--connections",
        "1",
    ];
    let proxy = Proxy::start(&world, &[&listen[..], &TRUST].concat());
    world.block_on(async {
        let mut first = TcpStream::connect(proxy.address()).await.unwrap();
        ask(&mut first).await;
        let mut second = TcpStream::connect(proxy.address()).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        // In the time that these take, the second would be answered too.
        for _ in 0..10 {
            ask(&mut first).await;
        }
        let mut early = [0; 1];
        let waits = second.try_read(&mut early);
        assert_eq!(waits.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        drop(first);
        let mut answer = [0; 12];
        second.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    });
}

#[test]
fn a_connection_too_many_to_a_reverse_proxy_waits_until_another_ends() {
    let world = World::new();
    let behind = world.plain(echo());
    let more = ["--connections", "1", "--admin", "127.0.0.1:0"];
    let proxy = reverse(&world, &format!("http://{behind}"), &more);
    world.block_on(async {
        let mut first = attested(&world, &proxy, "http/1.1").await;
        ask(&mut first).await;
        let second = attested(&world, &proxy, "http/1.1");
        let mut second = std::pin::pin!(second);
        tokio::select! {
            _ = &mut second => panic!("it did not wait"),
            () = async { for _ in 0..10 { ask(&mut first).await } } => {}
        }
        // The other ports are not concerned.
        let (head, _) = fetch(proxy.told("admin at http://"), "/healthz").await;
        assert_eq!(head.status, 200);
        drop(first);
        ask(&mut second.await).await;
    });
}

#[test]
fn times_and_numbers_without_measure_are_refused() {
    let world = World::new();
    let listen = [
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--to",
        "https://localhost/",
    ];
    for wrong in [
        ["--drain", "3601"],
        ["--drain", "18446744073709551615"],
        ["--look", "0"],
        ["--look", "3601"],
        ["--connections", "0"],
    ] {
        let ran = world.atls(&[&listen[..], &wrong].concat()).ends_with(1);
        assert!(ran.error().contains(wrong[0]), "{}", ran.error());
    }
}

async fn ask(stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin)) {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(4).any(|end| end == b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(answer).unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
