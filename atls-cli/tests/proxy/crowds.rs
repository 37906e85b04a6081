//! Many requests at a time, and bodies that nobody reads. The requests of all clients go out over HTTP/2.

use std::convert::Infallible;
use std::future::pending;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::body::HttpBody;
use axum::routing::get;
use axum::routing::post;
use futures_util::StreamExt;
use futures_util::stream;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::Full;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::kit::TRUST;
use crate::kit::attested;
use crate::kit::reverse;
use crate::proxies::Proxy;
use crate::support::World;

/// A server of this project takes 100 requests over one connection, as RFC 9113 §6.5.2 asks of all.
#[test]
fn a_forward_proxy_answers_more_requests_than_one_connection_takes() {
    let world = World::new();
    let proxy = forward(&world);
    in_time(&world, async {
        let mut answers = Vec::new();
        for _ in 0..3 {
            let socket = TcpStream::connect(proxy.address()).await.unwrap();
            answers.extend(ask(&mut http2(socket).await, "/open", 40).await);
        }
    });
}

/// axum's takes 200.
#[test]
fn a_reverse_proxy_answers_more_requests_than_one_connection_takes() {
    let world = World::new();
    let behind = world.plain(app());
    let proxy = reverse(&world, &format!("h2c://{behind}"), &[]);
    in_time(&world, async {
        let mut answers = Vec::new();
        for _ in 0..3 {
            let stream = attested(&world, &proxy, "h2").await;
            answers.extend(ask(&mut http2(stream).await, "/open", 70).await);
        }
    });
}

/// inclavare-containers/TNG#98, hyperium/hyper#2899: the answers fill the window of the connection that all clients share.
#[test]
fn answers_that_nobody_reads_hold_up_no_other_client_of_a_forward_proxy() {
    let world = World::new();
    let proxy = forward(&world);
    in_time(&world, async {
        let greedy = TcpStream::connect(proxy.address()).await.unwrap();
        let _unread = ask(&mut http2(greedy).await, "/endless", 10).await;
        let honest = TcpStream::connect(proxy.address()).await.unwrap();
        ask_and_read(&mut http2(honest).await).await;
    });
}

#[test]
fn answers_that_nobody_reads_hold_up_no_other_client_of_a_reverse_proxy() {
    let world = World::new();
    let behind = world.plain(app());
    let proxy = reverse(&world, &format!("h2c://{behind}"), &[]);
    in_time(&world, async {
        let greedy = attested(&world, &proxy, "h2").await;
        let _unread = ask(&mut http2(greedy).await, "/endless", 10).await;
        let honest = attested(&world, &proxy, "h2").await;
        ask_and_read(&mut http2(honest).await).await;
    });
}

/// It goes on to read, and the streams of its requests stay.
#[test]
fn requests_that_a_service_answers_before_their_bodies_end_hold_up_no_other_client() {
    let world = World::new();
    let behind = world.plain(app());
    let reverse = reverse(&world, &format!("h2c://{behind}"), &[]);
    let forward = forward(&world);
    in_time(&world, async {
        let mut kept = Vec::new();
        for _ in 0..4 {
            let mut sender = http2(attested(&world, &reverse, "h2").await).await;
            kept.extend(begin(&mut sender, "/kept", 60).await);
        }
        let honest = attested(&world, &reverse, "h2").await;
        ask_and_read(&mut http2(honest).await).await;
    });
    in_time(&world, async {
        let mut kept = Vec::new();
        for _ in 0..3 {
            let socket = TcpStream::connect(forward.address()).await.unwrap();
            kept.extend(begin(&mut http2(socket).await, "/kept", 40).await);
        }
        let honest = TcpStream::connect(forward.address()).await.unwrap();
        ask_and_read(&mut http2(honest).await).await;
    });
}

/// With less, four bodies of one client fill the window, and those of all others wait.
#[test]
fn bodies_that_no_service_reads_hold_up_no_other_client_where_the_window_has_room_for_all() {
    let world = World::new();
    let behind = world.plain(app());
    let window = ["--http2-window", "26214400"];
    let service = reverse(&world, &format!("http://{behind}"), &window);
    let proxy = forward_to(
        &world,
        &format!("https://localhost:{}", service.address().port()),
    );
    in_time(&world, async {
        let greedy = TcpStream::connect(proxy.address()).await.unwrap();
        let mut greedy = http2(greedy).await;
        let mut unread = Vec::new();
        for _ in 0..20 {
            unread.push(send(&mut greedy, "/unread", 8 * 1024 * 1024).await);
        }
        tokio::time::sleep(FULL).await;
        let honest = TcpStream::connect(proxy.address()).await.unwrap();
        let mut honest = http2(honest).await;
        for _ in 0..30 {
            let answer = send(&mut honest, "/read", WHOLE).await.into_body();
            assert_eq!(answer.collect().await.unwrap().to_bytes(), "65536");
        }
    });
}

fn forward(world: &World) -> Proxy {
    let url = world.attested(world.device("device"), app());
    forward_to(world, &url)
}

fn forward_to(world: &World, url: &str) -> Proxy {
    let listen = ["--listen", "127.0.0.1:0", "--to", url];
    Proxy::start(world, &[&listen[..], &TRUST].concat())
}

fn app() -> Router {
    let piece = || async { Ok::<_, Infallible>(vec![0; 16 * 1024]) };
    let open = get(move || async move {
        Body::from_stream(stream::once(piece()).chain(stream::once(pending())))
    });
    let endless =
        get(move || async move { Body::from_stream(stream::repeat_with(piece).then(|it| it)) });
    let whole = get(async || vec![0; WHOLE]);
    let unread = post(move |request: Request<Body>| async move {
        let rest = stream::once(async move {
            let _held = request;
            pending().await
        });
        Body::from_stream(stream::once(piece()).chain(rest))
    });
    let read = post(async |body: Bytes| body.len().to_string());
    let kept = post(async |request: Request<Body>| {
        let mut body = request.into_body();
        tokio::spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
    });
    Router::new()
        .route("/open", open)
        .route("/endless", endless)
        .route("/whole", whole)
        .route("/unread", unread)
        .route("/read", read)
        .route("/kept", kept)
}

async fn http2<T, B>(io: T) -> SendRequest<B>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    B: HttpBody<Data = Bytes, Error = Infallible> + Send + Unpin + 'static,
{
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(io));
    let (sender, driver) = handshake.await.unwrap();
    tokio::spawn(driver);
    sender
}

/// Heads of answers whose bodies are not read.
async fn ask(
    sender: &mut SendRequest<Empty<Bytes>>,
    path: &str,
    times: usize,
) -> Vec<Response<Incoming>> {
    let mut answers = Vec::new();
    for _ in 0..times {
        let request = Request::get(format!("https://localhost{path}"));
        let answer = sender.send_request(request.body(Empty::new()).unwrap());
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        answers.push(answer);
    }
    answers
}

/// The head of an answer that may come before the body is sent.
async fn send(
    sender: &mut SendRequest<Full<Bytes>>,
    path: &str,
    length: usize,
) -> Response<Incoming> {
    let request = Request::post(format!("https://localhost{path}"));
    let body = Full::from(vec![0; length]);
    let answer = sender.send_request(request.body(body).unwrap()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200);
    answer
}

/// Requests that are answered at once, and whose bodies never end. They go on while what is returned is there.
async fn begin(
    sender: &mut SendRequest<Endless>,
    path: &str,
    times: usize,
) -> Vec<mpsc::Sender<Infallible>> {
    let mut bodies = Vec::new();
    for _ in 0..times {
        let (held, body) = mpsc::channel(1);
        let request = Request::post(format!("https://localhost{path}"));
        let answer = sender.send_request(request.body(Endless(body)).unwrap());
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.into_body().collect().await.is_ok());
        bodies.push(held);
    }
    bodies
}

/// A body of nothing that ends with its sender.
struct Endless(mpsc::Receiver<Infallible>);

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|_| None)
    }
}

/// In the time that these take, the windows of the others are long full.
async fn ask_and_read(sender: &mut SendRequest<Empty<Bytes>>) {
    for _ in 0..30 {
        for answer in ask(sender, "/whole", 1).await {
            let read = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(read.len(), WHOLE);
        }
    }
}

/// What hangs is a failure.
fn in_time(world: &World, test: impl Future<Output = ()>) {
    let ended = world.block_on(async { tokio::time::timeout(PATIENCE, test).await });
    assert!(ended.is_ok(), "a request was held up");
}

/// Bytes.
const WHOLE: usize = 64 * 1024;

/// What the system takes for a service that does not read is full by then, and windows fill.
const FULL: Duration = Duration::from_secs(3);

/// Less than the time after which a client that reads nothing is cut off.
const PATIENCE: Duration = Duration::from_secs(20);
