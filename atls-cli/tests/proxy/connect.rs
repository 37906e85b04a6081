//! CONNECT proxies on the way of a forward proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::kit::TRUST;
use crate::kit::fetch;
use crate::proxies::Proxy;
use crate::support::World;

#[test]
fn the_proxy_of_the_environment_is_gone_through_where_it_is_told_to() {
    for (told, no_proxy, asked) in [
        (&["--connect-proxy", "env"][..], "", true),
        (&["--connect-proxy", "env"], "localhost", false),
        (&[], "", false),
    ] {
        let world = World::new();
        let url = hello(&world);
        let heads = Heads::default();
        let connect = world.block_on(tunnelling(&world, heads.clone()));
        let mut command = world.command(&forwarding(&url, told));
        command.env("HTTPS_PROXY", format!("http://{connect}"));
        command.env("NO_PROXY", no_proxy);
        let proxy = Proxy::run(command);
        let (head, body) = world.block_on(fetch(proxy.address(), "/"));
        assert_eq!((head.status, body.as_str()), (200, "hello"), "{told:?}");
        let port = url.rsplit_once(':').unwrap().1;
        let heads = heads.0.lock().unwrap().concat();
        let connects = format!("CONNECT localhost:{port} HTTP/1.1\r\n");
        assert_eq!(heads.contains(&connects), asked, "{told:?}: {heads}");
    }
}

#[test]
fn a_name_and_a_password_for_it_are_sent_wherever_they_stand() {
    for by_environment in [true, false] {
        let world = World::new();
        let url = hello(&world);
        let heads = Heads::default();
        let connect = world.block_on(tunnelling(&world, heads.clone()));
        let address = format!("http://user:pass@{connect}");
        let named = match by_environment {
            true => "env",
            false => &address,
        };
        let mut command = world.command(&forwarding(&url, &["--connect-proxy", named]));
        command.env("HTTPS_PROXY", &address).env("NO_PROXY", "");
        let proxy = Proxy::run(command);
        let (head, _) = world.block_on(fetch(proxy.address(), "/"));
        assert_eq!(head.status, 200);
        let heads = heads.0.lock().unwrap().concat();
        let basic = "Proxy-Authorization: Basic dXNlcjpwYXNz\r\n";
        assert!(heads.contains(basic), "{named}: {heads}");
    }
}

#[test]
fn a_hostile_one_is_an_answer_that_does_not_come_and_nothing_more() {
    let endless = [&b"HTTP/1.1 200 OK\r\nX: "[..], &[b'x'; 1 << 20]].concat();
    let many = [&b"HTTP/1.1 200 OK\r\n"[..], &b"X: y\r\n".repeat(1 << 16)].concat();
    for answer in [
        &endless[..],
        &many,
        b"HTTP/1.1 200 OK\r\n\r\ngarbage that is no TLS",
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"\x16\x03\x03\0\x02",
        b"",
    ] {
        let world = World::new();
        let url = hello(&world);
        let connect = world.block_on(answering(&world, answer));
        let named = format!("http://{connect}");
        let proxy = Proxy::start(&world, &forwarding(&url, &["--connect-proxy", &named])[1..]);
        let answered = async { tokio::time::timeout(PATIENCE, fetch(proxy.address(), "/")).await };
        let (head, body) = world.block_on(answered).expect("an answer");
        let shown = String::from_utf8_lossy(answer.get(..40).unwrap_or(answer));
        assert_eq!(head.status, 502, "{shown}: {body}");
        // Beyond a 200 it is the server's fault, as far as can be known.
        let codes = ["\"code\":\"not-reached\"", "\"code\":\"not-attested\""];
        let has = codes.iter().any(|code| body.contains(code));
        assert!(has, "{shown}: {body}");
    }
}

#[test]
fn a_silent_one_is_given_up() {
    let world = World::new();
    let url = hello(&world);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let named = format!("http://{}", listener.local_addr().unwrap());
    let proxy = Proxy::start(&world, &forwarding(&url, &["--connect-proxy", &named])[1..]);
    let answered = async { tokio::time::timeout(PATIENCE, fetch(proxy.address(), "/")).await };
    let (head, body) = world.block_on(answered).expect("an answer");
    assert_eq!(head.status, 502);
    assert!(body.contains("\"code\":\"not-reached\""), "{body}");
}

fn hello(world: &World) -> String {
    let app = Router::new().route("/", get(async || "hello"));
    world.attested(world.device("device"), app)
}

fn forwarding<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let listen = ["proxy", "--listen", "127.0.0.1:0", "--to", url];
    [&listen[..], &TRUST, more].concat()
}

/// What CONNECT proxies were sent first.
#[derive(Clone, Default)]
struct Heads(Arc<Mutex<Vec<String>>>);

/// A CONNECT proxy, which notes what it is asked.
async fn tunnelling(world: &World, heads: Heads) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    world.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let length = client.read(&mut head).await.unwrap();
            let head = String::from_utf8(head[..length].to_vec()).unwrap();
            let to = head.split(' ').nth(1).unwrap().to_owned();
            heads.0.lock().unwrap().push(head);
            let mut server = TcpStream::connect(to).await.unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            tokio::spawn(async move {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

/// One that answers with these bytes, whatever it is asked.
async fn answering(world: &World, answer: &[u8]) -> SocketAddr {
    let answer = answer.to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    world.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let _ = client.read(&mut head).await;
            let _ = client.write_all(&answer).await;
            let _ = client.shutdown().await;
        }
    });
    address
}

/// More than the time to connect.
const PATIENCE: Duration = Duration::from_secs(30);
