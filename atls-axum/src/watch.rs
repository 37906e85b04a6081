//! Reports requests to the stream that they came over.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;
use std::time::Duration;

use atls_tower::Answering;
use atls_tower::Requests;
use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use hyper::body::Frame;
use hyper::body::SizeHint;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_service::Service;

/// Reports the requests of one connection to its stream, which fails when its client keeps it waiting; fails bodies
/// that do not come.
#[derive(Clone, Debug)]
pub struct Watched<S> {
    inner: S,
    /// `None` for a stream without limits.
    requests: Option<Requests>,
}

impl<S> Watched<S> {
    pub(crate) fn new(inner: S, requests: Option<Requests>) -> Self {
        Self { inner, requests }
    }
}

impl<S, B> Service<Request<B>> for Watched<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = WatchedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let connect = request.method() == Method::CONNECT;
        let answered = Arc::new(AtomicBool::new(false));
        let watch = self.requests.as_ref().map(|requests| Watch {
            answering: requests.arrived(),
            answered: answered.clone(),
            connect,
        });
        let request = request.map(Body::new);
        let request = match &self.requests {
            Some(requests) if !request.body().is_end_stream() => {
                let limit = requests.limits().request_body;
                request.map(|inner| {
                    Body::new(RequestBody {
                        inner,
                        limit,
                        waiting: None,
                        answered,
                    })
                })
            }
            _ => request,
        };
        WatchedFuture {
            inner: self.inner.call(request),
            watch,
        }
    }
}

/// The state of a request that is being answered.
#[derive(Debug)]
struct Watch {
    answering: Answering,
    answered: Arc<AtomicBool>,
    connect: bool,
}

impl Watch {
    fn upgrades(&self, status: StatusCode) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS || (self.connect && status.is_success())
    }
}

pin_project! {
    /// The response of the inner service, watched until the client has taken it.
    #[derive(Debug)]
    pub struct WatchedFuture<F> {
        #[pin]
        inner: F,
        watch: Option<Watch>,
    }
}

impl<F, E> Future for WatchedFuture<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let Some(watch) = this.watch.take() else {
            return Poll::Ready(Ok(response));
        };
        watch.answered.store(true, Ordering::Relaxed);
        if watch.upgrades(response.status()) {
            watch.answering.upgraded();
        }
        let answering = watch.answering;
        let response = response.map(|inner| {
            Body::new(ResponseBody {
                inner,
                rest: Bytes::new(),
                answering,
            })
        });
        Poll::Ready(Ok(response))
    }
}

/// Fails if the client stops to send it before it is answered. A client that was answered may think for as long as it
/// likes: so do streams in both directions.
struct RequestBody {
    inner: Body,
    limit: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    answered: Arc<AtomicBool>,
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            this.waiting = None;
            return Poll::Ready(frame);
        }
        let limit = this.limit;
        let waiting = this
            .waiting
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        // A timer that fired before the answer was made says nothing afterwards.
        if waiting.as_mut().poll(cx).is_ready() && !this.answered.load(Ordering::Relaxed) {
            let late = io::Error::new(io::ErrorKind::TimedOut, "request body did not come");
            return Poll::Ready(Some(Err(axum::Error::new(late))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Tells the stream whether the client takes it. Large parts are handed on in pieces: HTTP asks for the next piece when
/// the client took the last one, and an answer ends when its last piece was asked for.
struct ResponseBody {
    inner: Body,
    rest: Bytes,
    answering: Answering,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.answering.taken();
        if this.rest.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut this.inner).poll_frame(cx)?) else {
                return Poll::Ready(None);
            };
            match frame.into_data() {
                Ok(data) => this.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        this.answering.offered();
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

/// Bytes of an answer that are handed to HTTP at a time.
const PIECE: usize = 64 * 1024;
