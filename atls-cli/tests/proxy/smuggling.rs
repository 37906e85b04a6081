//! Clients that would have the service believe what the proxy did not say.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::kit::TRUST;
use crate::kit::echo;
use crate::kit::forward;
use crate::kit::reverse;
use crate::kit::sent;
use crate::kit::sent_attested;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn no_client_can_have_the_headers_of_the_proxy_removed() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let url = proxy.url("/");
    let hop = "Connection: atls-status, x-forwarded-for, host";
    let get = [&["get", &url, "--http", "1.1", "-H", hop], &TRUST[..]].concat();
    let told = world.atls(&get).ends_with(0).out();
    for line in [
        "atls-status: none\n",
        "x-forwarded-for: 127.0.0.1\n",
        "host: localhost:",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[test]
fn nothing_that_a_service_could_take_for_the_proxys_word_comes_through() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let url = proxy.url("/");
    for lie in [
        "Atls_Status",
        "Atls.Binding",
        "Forwarded",
        "X_Forwarded_For",
        "X-Forwarded-Port",
        "X-Real-IP",
    ] {
        let header = format!("{lie}: a-lie");
        let get = [&["get", &url, "-H", &header], &TRUST[..]].concat();
        let told = world.atls(&get).ends_with(0).out();
        assert!(!told.contains("a-lie"), "{lie}: {told}");
    }
}

#[test]
fn no_request_is_hidden_in_another() {
    let world = World::new();
    let behind = world.plain(echo());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let hidden =
        "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAtls-Status: a-lie\r\n\r\n";
    let lengths = [
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 1",
        "Content-Length: 1\r\nContent-Length: 7",
        "Transfer-Encoding: identity, chunked\r\nConnection: transfer-encoding",
        "Transfer-Encoding : chunked\r\nContent-Length: 5",
        "Transfer-Encoding: xchunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked, identity\r\nContent-Length: 5",
        "Transfer-Encoding:\x0bchunked\r\nContent-Length: 5",
        "X: y\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\nContent-Length: 5",
        "Content-Length: +5",
        "Content-Length: 5, 5",
        "Content-Length: 0x5",
        "Content-Length: 5\r\nConnection: content-length",
    ];
    for length in lengths {
        let request =
            format!("POST /seen HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n0\r\n\r\n{hidden}");
        let answers = world.block_on(sent(front.address(), request.as_bytes()));
        assert!(answers.starts_with("HTTP/1.1 "), "{length}: {answers}");
        assert!(!answers.contains("a-lie"), "{length}: {answers}");
        assert!(
            !answers.contains("content-length: 1\n"),
            "{length}: {answers}"
        );
    }
}

#[test]
fn no_protocol_with_requests_in_it_passes_as_an_upgrade() {
    let world = World::new();
    let behind = world.block_on(agreeable());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    for protocol in [
        "h2c",
        "h2c, websocket",
        "websocket, h2c",
        "HTTP/2.0",
        "h2c ",
    ] {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: {protocol}\r\n\r\n"
        );
        let answer = world.block_on(sent(front.address(), request.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 200"), "{protocol}: {answer}");
    }
}

/// RFC 9110 §7.8: HTTP/1.0 has no upgrades. The client would go on in HTTP, and the service would not.
#[test]
fn http_1_0_is_never_upgraded() {
    let world = World::new();
    let behind = world.block_on(agreeable());
    let back = reverse(&world, &format!("http://{behind}"), &[]);
    let front = forward(&world, &back);
    let request =
        b"GET / HTTP/1.0\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for answer in [
        world.block_on(sent(front.address(), request)),
        sent_attested(&world, &back, request),
    ] {
        assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    }
}

#[test]
fn no_tunnel_is_made() {
    let world = World::new();
    let url = world.attested(world.device("device"), echo());
    let listen = ["--listen", "127.0.0.1:0", "--to", &url];
    let proxy = Proxy::start(&world, &[&listen[..], &TRUST].concat());
    let answer = world.block_on(async {
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let request = b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        answer
    });
    assert_eq!(&answer, b"HTTP/1.1 405");
}

/// A server that agrees to every upgrade.
async fn agreeable() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8(head[..length].to_vec()).unwrap();
            let answer = match head.contains("upgrade: ") {
                true => "101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c",
                false => "200 OK\r\nContent-Length: 0\r\nConnection: close",
            };
            let answer = format!("HTTP/1.1 {answer}\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}
