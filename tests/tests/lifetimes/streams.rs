//! Long streams: each learns when its connection drains, can move in time, and is cut at the end if it does not.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use atls_axum::ConnectionLifetime;
use atls_tower::ServerAttestation;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::header::CONNECTION;
use axum::http::header::UPGRADE;
use axum::response::IntoResponse;
use axum::response::Response;
use end_to_end::World;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Frame;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::DRAINED;
use crate::support::ENDED;
use crate::support::acceptor;
use crate::support::attested;
use crate::support::connector;
use crate::support::hyper_client;
use crate::support::pass;
use crate::support::serve;
use crate::support::uri;

const WITHIN: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_upgraded_stream_learns_that_it_must_move_and_says_so() {
    says_goodbye(upgrade()).await;
}

#[tokio::test]
async fn a_tunnel_learns_that_it_must_move_and_says_so() {
    says_goodbye(tunnel()).await;
}

#[tokio::test]
async fn an_upgraded_stream_that_does_not_move_is_cut_at_the_end() {
    is_cut(upgrade()).await;
}

#[tokio::test]
async fn a_tunnel_that_does_not_move_is_cut_at_the_end() {
    is_cut(tunnel()).await;
}

#[tokio::test]
async fn a_stream_of_http_2_ends_properly_when_its_handler_heeds_the_lifetime() {
    let (world, address) = streaming(Router::new().fallback(until_draining)).await;
    let client = hyper_client(&world, "h2");
    let first = client.get(uri(address)).await.unwrap();
    let lifetime = ServerAttestation::lifetime(first.extensions()).unwrap();
    assert!(!lifetime.is_draining());
    pass(&world, DRAINED).await;
    // Make before break: the new stream begins before the old one has ended.
    let second = client.get(uri(address)).await;
    assert_eq!(first.into_body().collect().await.unwrap().to_bytes(), "bye");
    drop(second);
}

#[tokio::test]
async fn a_stream_of_http_2_that_goes_on_is_cut_at_the_end() {
    let (world, address) = streaming(Router::new().fallback(for_ever)).await;
    let client = hyper_client(&world, "h2");
    let response = client.get(uri(address)).await.unwrap();
    let lifetime = ServerAttestation::lifetime(response.extensions()).cloned();
    let reading = tokio::spawn(response.into_body().collect());
    pass(&world, DRAINED).await;
    lifetime.unwrap().draining().await;
    assert!(!reading.is_finished());
    pass(&world, ENDED - DRAINED).await;
    assert!(reading.await.unwrap().is_err(), "cut short, and not ended");
}

/// A response without end, whose request was answered before its client's terms were gone.
#[tokio::test]
async fn a_stream_of_http_2_is_told_of_a_recall_and_cut_when_its_time_has_passed() {
    for (app, heeds) in [
        (Router::new().fallback(until_draining), true),
        (Router::new().fallback(for_ever), false),
    ] {
        let world = World::new();
        let acceptor = acceptor(&world, attested(&world));
        let address = serve(acceptor.clone(), app).await;
        let client = hyper_client(&world, "h2");
        let response = client.get(uri(address)).await.unwrap();
        let reading = tokio::spawn(response.into_body().collect());
        acceptor.recall(WITHIN);
        if heeds {
            assert_eq!(reading.await.unwrap().unwrap().to_bytes(), "bye");
            continue;
        }
        pass(&world, WITHIN - Duration::from_secs(1)).await;
        assert!(!reading.is_finished());
        pass(&world, Duration::from_secs(2)).await;
        assert!(reading.await.unwrap().is_err(), "cut short, and not ended");
    }
}

async fn streaming(app: Router) -> (World, SocketAddr) {
    let world = World::new();
    let acceptor = acceptor(&world, attested(&world));
    let address = serve(acceptor, app).await;
    (world, address)
}

async fn says_goodbye(request: http::Request<Empty<Bytes>>) {
    let (world, address) = streaming(Router::new().fallback(raw_until_draining)).await;
    let mut stream = leave_http(&world, address, request).await;
    pass(&world, DRAINED).await;
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "bye");
}

async fn is_cut(request: http::Request<Empty<Bytes>>) {
    let (world, address) = streaming(Router::new().fallback(raw_for_ever)).await;
    let mut stream = leave_http(&world, address, request).await;
    let reading = tokio::spawn(async move { stream.read_u8().await });
    pass(&world, DRAINED).await;
    assert!(!reading.is_finished());
    pass(&world, ENDED - DRAINED).await;
    assert!(reading.await.unwrap().is_err());
}

fn upgrade() -> http::Request<Empty<Bytes>> {
    http::Request::get("/")
        .header("host", "localhost")
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "raw")
        .body(Empty::new())
        .unwrap()
}

fn tunnel() -> http::Request<Empty<Bytes>> {
    http::Request::connect("elsewhere:1")
        .header("host", "elsewhere:1")
        .body(Empty::new())
        .unwrap()
}

#[tokio::test]
async fn an_upgraded_stream_is_told_of_a_recall_and_cut_when_its_time_has_passed() {
    for (app, goodbye) in [
        (Router::new().fallback(raw_until_draining), Some(b'b')),
        (Router::new().fallback(raw_for_ever), None),
    ] {
        let world = World::new();
        let acceptor = acceptor(&world, attested(&world));
        let address = serve(acceptor.clone(), app).await;
        let mut stream = leave_http(&world, address, upgrade()).await;
        acceptor.recall(WITHIN);
        if let Some(first) = goodbye {
            assert_eq!(stream.read_u8().await.unwrap(), first);
            continue;
        }
        let reading = tokio::spawn(async move { stream.read_u8().await });
        pass(&world, WITHIN - Duration::from_secs(1)).await;
        assert!(!reading.is_finished());
        pass(&world, Duration::from_secs(2)).await;
        assert!(reading.await.unwrap().is_err());
    }
}

/// A connection on which HTTP has ended with this request.
async fn leave_http(
    world: &World,
    address: SocketAddr,
    request: http::Request<Empty<Bytes>>,
) -> TokioIo<Upgraded> {
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    let stream = connector(world, "http/1.1").connect(name, socket).await;
    let io = TokioIo::new(stream.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection.with_upgrades());
    let response = sender.send_request(request).await.unwrap();
    assert!(response.status() == 101 || response.status() == 200);
    TokioIo::new(hyper::upgrade::on(response).await.unwrap())
}

/// Says goodbye on an upgraded stream when its connection drains.
async fn raw_until_draining(lifetime: ConnectionLifetime, request: Request) -> Response {
    leave(request, async move |mut stream: TokioIo<Upgraded>| {
        lifetime.draining().await;
        stream.write_all(b"bye").await.unwrap();
        stream.shutdown().await.unwrap();
    })
}

/// Holds an upgraded stream for as long as it can.
async fn raw_for_ever(request: Request) -> Response {
    leave(request, async move |mut stream: TokioIo<Upgraded>| {
        drop(stream.read_u8().await);
    })
}

pub(crate) fn leave<F>(
    request: Request,
    then: impl FnOnce(TokioIo<Upgraded>) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = ()> + Send,
{
    let connect = request.method() == Method::CONNECT;
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(async move { then(TokioIo::new(upgraded.await.unwrap())).await });
    if connect {
        return StatusCode::OK.into_response();
    }
    let headers = [(CONNECTION, "upgrade"), (UPGRADE, "raw")];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

async fn until_draining(lifetime: ConnectionLifetime) -> Body {
    let lifetime = lifetime.into_inner();
    Body::new(Once {
        ready: Some(Box::pin(async move { lifetime.draining().await })),
    })
}

async fn for_ever() -> Body {
    Body::new(Once {
        ready: Some(Box::pin(std::future::pending())),
    })
}

/// A body of one piece, which comes when it is ready.
struct Once {
    ready: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl HttpBody for Once {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(until) = &mut self.ready else {
            return Poll::Ready(None);
        };
        ready!(until.as_mut().poll(cx));
        self.ready = None;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from("bye")))))
    }
}
