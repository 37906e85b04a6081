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
        ["--http2-streams", "0"],
        ["--http2-streams", "10001"],
        ["--http2-window", "65535"],
        ["--http2-window", "4294967295"],
        ["--http2-stream-window", "16383"],
    ] {
        let ran = world.atls(&[&listen[..], &wrong].concat()).ends_with(1);
        assert!(ran.error().contains(wrong[0]), "{}", ran.error());
    }
}

#[test]
fn connections_of_http_2_have_the_limits_that_are_set() {
    let world = World::new();
    let behind = world.plain(echo());
    let more = ["--http2-streams", "7", "--http2-window", "100000"];
    let attested_port = reverse(&world, &format!("http://{behind}"), &more);
    let url = attested_port.url("/");
    let forward = ["--listen", "127.0.0.1:0", "--to", &url];
    let plain_port = Proxy::start(&world, &[&forward[..], &TRUST, &more].concat());
    world.block_on(async {
        let stream = attested(&world, &attested_port, "h2").await;
        has_the_limits(stream).await;
        let stream = TcpStream::connect(plain_port.address()).await.unwrap();
        has_the_limits(stream).await;
    });
}

/// As SETTINGS have them: SETTINGS_MAX_CONCURRENT_STREAMS is 3, SETTINGS_INITIAL_WINDOW_SIZE 4.
async fn has_the_limits(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    stream.flush().await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    let mut settings = vec![0; head[2].into()];
    stream.read_exact(&mut settings).await.unwrap();
    let value = |name: u8| {
        let mut each = settings.chunks_exact(6);
        let found = each.find(|setting| setting[..2] == [0, name]).unwrap();
        u32::from_be_bytes(found[2..].try_into().unwrap())
    };
    assert_eq!((value(3), value(4)), (7, 100_000));
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
