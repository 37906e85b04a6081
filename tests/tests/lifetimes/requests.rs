//! Clients whose attestation has ended, and which go on to ask and to send all the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adversary::Link;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any;
use end_to_end::Gate;
use end_to_end::World;
use end_to_end::http2;
use http_body_util::BodyExt;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::hostile::attested_client;
use crate::streams::leave;
use crate::support::DRAINED;
use crate::support::ENDED;
use crate::support::MINUTE;
use crate::support::acceptor;
use crate::support::mutual;
use crate::support::pass;
use crate::support::serve;

const SECOND: Duration = Duration::from_secs(1);

/// It answers no PING either, on which a GOAWAY with a number waits.
#[tokio::test]
async fn a_client_that_heeds_no_goodbye_is_refused_request_by_request_and_then_cut() {
    let (world, hits, gate) = (World::new(), Hits::default(), Gate::new());
    gate.open();
    let app = counting(&hits, gate);
    let address = serve(acceptor(&world, mutual(&world)), app).await;
    let mut link = attested_client(&world, address, "h2").await;
    http2::begin(&mut link.tls).await.unwrap();
    assert_eq!(http2::ask(&mut link.tls, 1, "/").await.unwrap(), "hello");
    pass(&world, DRAINED).await;
    assert_eq!(http2::ask(&mut link.tls, 3, "/").await.unwrap(), "hello");
    pass(&world, MINUTE - DRAINED).await;
    for stream in [5, 7, 9] {
        let told = http2::ask(&mut link.tls, stream, "/").await.unwrap();
        assert!(told.contains("attestation-expired"), "{told}");
    }
    pass(&world, ENDED - MINUTE).await;
    http2::ask(&mut link.tls, 11, "/").await.unwrap_err();
    assert_eq!(hits.load(Ordering::SeqCst), 2);
}

/// The first one was let in in time, and is answered. The second waits behind it.
#[tokio::test]
async fn a_request_that_was_sent_in_time_and_read_too_late_reaches_no_handler() {
    let (world, hits, gate) = (World::new(), Hits::default(), Gate::new());
    let app = counting(&hits, gate.clone());
    let address = serve(acceptor(&world, mutual(&world)), app).await;
    let mut link = attested_client(&world, address, "http/1.1").await;
    let request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let both = format!("{request}{request}");
    http2::say(&mut link.tls, both.as_bytes()).await.unwrap();
    gate.reached_by(1).await;
    pass(&world, MINUTE).await;
    gate.open();
    let answers = String::from_utf8(link.drain().await).unwrap();
    assert!(answers.starts_with("HTTP/1.1 200"), "{answers}");
    assert_eq!(answers.matches("hello").count(), 1);
    assert_eq!(hits.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_under_way_at_the_end_is_cut_and_its_answer_never_sent() {
    for alpn in ["http/1.1", "h2"] {
        let (world, hits, gate) = (World::new(), Hits::default(), Gate::new());
        let app = counting(&hits, gate.clone());
        let address = serve(acceptor(&world, mutual(&world)), app).await;
        let mut link = attested_client(&world, address, alpn).await;
        ask_on(&mut link, alpn).await;
        gate.reached_by(1).await;
        pass(&world, ENDED).await;
        gate.open();
        let rest = link.drain().await;
        let rest = String::from_utf8_lossy(&rest);
        assert!(!rest.contains("hello"), "{alpn}: {rest}");
    }
}

async fn ask_on(link: &mut Link, alpn: &str) {
    if alpn == "http/1.1" {
        let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
        return http2::say(&mut link.tls, request).await.unwrap();
    }
    http2::begin(&mut link.tls).await.unwrap();
    let flags = http2::END_STREAM | http2::END_HEADERS;
    let head = http2::head(http2::GET, "/");
    let request = http2::frame(http2::HEADERS, flags, 1, &head);
    http2::say(&mut link.tls, &request).await.unwrap();
}

/// A stream of gRPC from client to server is such a body.
#[tokio::test]
async fn a_body_that_goes_on_ends_with_an_error_and_not_properly() {
    let (world, mut scene) = listening(any(hear_body)).await;
    let mut link = attested_client(&world, scene.address, "h2").await;
    http2::begin(&mut link.tls).await.unwrap();
    let head = http2::head(http2::POST, "/");
    let head = http2::frame(http2::HEADERS, http2::END_HEADERS, 1, &head);
    http2::say(&mut link.tls, &head).await.unwrap();
    goes_on(&world, &mut scene, &mut link, Framing::Data).await;
}

#[tokio::test]
async fn a_client_that_goes_on_in_a_connection_that_left_http_is_cut() {
    for head in [
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n",
        "CONNECT elsewhere:1 HTTP/1.1\r\nhost: elsewhere:1\r\n\r\n",
    ] {
        let (world, mut scene) = listening(any(hear_upgraded)).await;
        let mut link = attested_client(&world, scene.address, "http/1.1").await;
        http2::say(&mut link.tls, head.as_bytes()).await.unwrap();
        read_head(&mut link).await;
        goes_on(&world, &mut scene, &mut link, Framing::None).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_on_in_a_tunnel_of_http_2_is_cut() {
    let (world, mut scene) = listening(any(hear_upgraded)).await;
    let mut link = attested_client(&world, scene.address, "h2").await;
    http2::begin(&mut link.tls).await.unwrap();
    let head = http2::frame(http2::HEADERS, http2::END_HEADERS, 1, http2::CONNECT);
    http2::say(&mut link.tls, &head).await.unwrap();
    goes_on(&world, &mut scene, &mut link, Framing::Data).await;
}

/// A handler that takes no error for one, and says goodbye all the same.
#[tokio::test]
async fn what_was_cut_cannot_be_ended_properly_afterwards() {
    let closing = async |request: Request| {
        leave(request, async move |mut stream: TokioIo<Upgraded>| {
            drop(stream.read_u8().await);
            drop(stream.shutdown().await);
        })
    };
    let (world, scene) = listening(any(closing)).await;
    let mut link = attested_client(&world, scene.address, "http/1.1").await;
    let head = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n";
    http2::say(&mut link.tls, head.as_bytes()).await.unwrap();
    read_head(&mut link).await;
    pass(&world, ENDED).await;
    let end = link.tls.read(&mut [0]).await.unwrap_err();
    assert_eq!(end.kind(), std::io::ErrorKind::UnexpectedEof);
}

/// A client that writes before, in and after the time of grace, with or without frames around its bytes.
async fn goes_on(world: &World, scene: &mut Listening, link: &mut Link, framing: Framing) {
    let mut say = async |byte: u8| {
        let bytes = match framing {
            Framing::None => vec![byte],
            Framing::Data => http2::frame(http2::DATA, 0, 1, &[byte]),
        };
        http2::say(&mut link.tls, &bytes).await
    };
    say(b'a').await.unwrap();
    assert_eq!(scene.heard.recv().await, Some(Heard::Byte(b'a')));
    pass(world, DRAINED).await;
    say(b'b').await.unwrap();
    assert_eq!(scene.heard.recv().await, Some(Heard::Byte(b'b')));
    pass(world, MINUTE - DRAINED + SECOND).await;
    say(b'c').await.unwrap();
    assert_eq!(scene.heard.recv().await, Some(Heard::Byte(b'c')));
    pass(world, ENDED - MINUTE).await;
    // Its socket may be closed already, or not yet.
    drop(say(b'd').await);
    assert_eq!(scene.heard.recv().await, Some(Heard::Error));
}

async fn read_head(link: &mut Link) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(link.tls.read_u8().await.unwrap());
    }
}

#[derive(Clone, Copy)]
enum Framing {
    None,
    Data,
}

/// What a handler hears of a client that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Byte(u8),
    End,
    Error,
}

struct Listening {
    address: SocketAddr,
    heard: mpsc::UnboundedReceiver<Heard>,
}

type Tell = mpsc::UnboundedSender<Heard>;

/// A server with one handler, which has a [`Tell`] in the extensions of its request.
async fn listening(handler: axum::routing::MethodRouter) -> (World, Listening) {
    let (world, (tell, heard)) = (World::new(), mpsc::unbounded_channel());
    let app = Router::new().route("/", handler.clone()).fallback(handler);
    let app = app.layer(axum::Extension(tell));
    let address = serve(acceptor(&world, mutual(&world)), app).await;
    (world, Listening { address, heard })
}

async fn hear_body(request: Request) -> Body {
    let tell = tell_of(&request);
    let mut body = request.into_body();
    loop {
        let heard = match body.frame().await {
            Some(Ok(frame)) => Heard::Byte(frame.into_data().unwrap()[0]),
            Some(Err(_)) => Heard::Error,
            None => Heard::End,
        };
        tell.send(heard).unwrap();
        if !matches!(heard, Heard::Byte(_)) {
            return Body::empty();
        }
    }
}

async fn hear_upgraded(request: Request) -> Response {
    let tell = tell_of(&request);
    leave(request, async move |mut stream: TokioIo<Upgraded>| {
        loop {
            let mut byte = [0];
            let heard = match stream.read(&mut byte).await {
                Ok(0) => Heard::End,
                Ok(_) => Heard::Byte(byte[0]),
                Err(_) => Heard::Error,
            };
            tell.send(heard).unwrap();
            if !matches!(heard, Heard::Byte(_)) {
                return;
            }
        }
    })
}

fn tell_of(request: &Request) -> Tell {
    request.extensions().get::<Tell>().unwrap().clone()
}

type Hits = Arc<AtomicUsize>;

/// Says hello behind a gate, and counts how often.
fn counting(hits: &Hits, gate: Gate) -> Router {
    let hits = hits.clone();
    let hello = async move || {
        hits.fetch_add(1, Ordering::SeqCst);
        gate.pass().await;
        "hello"
    };
    Router::new().route("/", any(hello))
}
