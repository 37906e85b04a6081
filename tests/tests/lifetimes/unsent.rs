//! Errors that look as if their request had not been sent, of requests on which the server may have acted.

use std::error::Error;
use std::io;
use std::pin::pin;

use atls_tower::was_not_sent;
use end_to_end::http2;
use futures_util::StreamExt;
use futures_util::stream;
use http_body_util::BodyExt;
use http_body_util::Empty;
use http_body_util::StreamBody;
use hyper::Request;
use hyper::Response;
use hyper::body::Body;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper::body::Incoming;
use hyper::client::conn;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;

/// As in a proxy, whose own client resets its request while the head is with the next service already.
#[tokio::test]
async fn the_error_of_a_body_that_is_handed_on_says_nothing_of_the_request_that_has_it() {
    let unsent = unsent().await;
    assert!(was_not_sent(&unsent));
    let (near, mut far) = tokio::io::duplex(ROOM);
    let (breaks, broken) = oneshot::channel();
    let frame = stream::once(async { Ok(Frame::data(Bytes::from("pay"))) });
    let body = frame.chain(stream::once(async { Err(broken.await.unwrap()) }));
    let body = StreamBody::new(Box::pin(body));
    let (mut sender, connection) = conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    let breaking = async {
        let mut sent = [0; 4];
        far.read_exact(&mut sent).await.unwrap();
        assert_eq!(&sent, b"POST");
        breaks.send(unsent).unwrap();
    };
    let request = Request::post("/").body(body).unwrap();
    let (response, ()) = tokio::join!(sender.send_request(request), breaking);
    let error = response.unwrap_err();
    assert!(!was_not_sent(&error), "{error:?}");
}

/// As of a tunnel that carries the connection.
#[tokio::test]
async fn the_error_of_a_transport_says_nothing_of_the_requests_on_it() {
    let error = Around(io::Error::other(Around(unsent().await)));
    assert!(!was_not_sent(&error), "{error:?}");
}

/// Whatever the server says then of the stream.
#[tokio::test]
async fn a_request_whose_answer_has_begun_was_acted_upon() {
    let refusal = http2::frame(http2::RST_STREAM, 0, 1, &7u32.to_be_bytes());
    let goaway = http2::frame(http2::GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]);
    for last in [refusal, goaway] {
        let (response, mut far) = begun().await;
        far.write_all(&last).await.unwrap();
        let mut body = pin!(response.into_body());
        let error = body.frame().await.unwrap().unwrap_err();
        assert!(!was_not_sent(&error), "{error:?}");
    }
}

/// As in a proxy, whose own request was refused while the head of this one is with the next service: hyper resets it for the same reason.
#[tokio::test]
async fn a_request_that_this_end_resets_for_its_body_was_sent() {
    let refusal = http2::frame(http2::RST_STREAM, 0, 1, &7u32.to_be_bytes());
    let (refused, _far) = answered(Empty::<Bytes>::new(), async |far| {
        http2::say(far, &refusal).await.unwrap();
    })
    .await;
    let refused = refused.unwrap_err();
    assert!(was_not_sent(&refused));
    let (breaks, broken) = oneshot::channel();
    let body = stream::once(async { Err::<Frame<Bytes>, _>(broken.await.unwrap()) });
    let body = StreamBody::new(Box::pin(body));
    let (reset, _far) = answered(body, async |far| {
        breaks.send(refused).unwrap();
        let mut frame = http2::next(far).await.unwrap();
        while frame.kind != http2::RST_STREAM {
            frame = http2::next(far).await.unwrap();
        }
        assert_eq!(frame.payload, 7u32.to_be_bytes());
    })
    .await;
    let reset = reset.unwrap_err();
    assert!(!was_not_sent(&reset), "{reset:?}");
}

/// An answer of HTTP/2 of which the head has come.
async fn begun() -> (Response<Incoming>, DuplexStream) {
    // `:status: 200`.
    let head = http2::frame(http2::HEADERS, http2::END_HEADERS, 1, &[0x88]);
    let (response, far) = answered(Empty::<Bytes>::new(), async |far| {
        http2::say(far, &head).await.unwrap();
    })
    .await;
    (response.unwrap(), far)
}

/// What becomes of a request of HTTP/2 whose server does this when it has the head.
async fn answered<B>(
    body: B,
    answer: impl AsyncFnOnce(&mut DuplexStream),
) -> (hyper::Result<Response<Incoming>>, DuplexStream)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let (near, mut far) = tokio::io::duplex(ROOM);
    let (io, executor) = (TokioIo::new(near), TokioExecutor::new());
    let (mut sender, connection) = conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let answering = async {
        let mut preface = [0; http2::PREFACE.len()];
        far.read_exact(&mut preface).await.unwrap();
        let settings = http2::frame(http2::SETTINGS, 0, 0, &[]);
        http2::say(&mut far, &settings).await.unwrap();
        while http2::next(&mut far).await.unwrap().kind != http2::HEADERS {}
        answer(&mut far).await;
    };
    let request = Request::post("https://localhost/").body(body);
    let asking = sender.send_request(request.unwrap());
    let (response, ()) = tokio::join!(asking, answering);
    (response, far)
}

/// The error of a request whose connection was gone.
async fn unsent() -> hyper::Error {
    let (near, _far) = tokio::io::duplex(ROOM);
    let (mut sender, connection) = conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    drop(connection);
    let request = Request::get("/").body(Empty::<Bytes>::new()).unwrap();
    sender.send_request(request).await.unwrap_err()
}

#[derive(Debug)]
struct Around<E>(E);

impl<E> std::fmt::Display for Around<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken")
    }
}

impl<E: Error + 'static> Error for Around<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

const ROOM: usize = 64 * 1024;
