//! Reports requests to the stream that they came over.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use atls_tower::Answering;
use atls_tower::AttestedStream;
use atls_tower::Requests;
use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Version;
use hyper::body::Frame;
use hyper::body::SizeHint;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::keep_open::MayTunnel;
use crate::pieces::OfBody;
use crate::pieces::Pieces;
use crate::request_body::RequestBody;

/// Reports the requests of one connection to its stream, which fails when its client keeps it waiting; fails bodies
/// that do not come.
///
/// [`serve`](crate::serve) and [`into_attested_make_service`](crate::RouterExt::into_attested_make_service) put it around
/// their services. Other servers do it themselves, for streams that they made
/// [limited](atls_tower::AttestedStream::with_limits):
///
/// ```
/// # use atls_axum::Watched;
/// # use atls_tower::{AttestedStream, ConnectionLimits, WithAttestation};
/// # use axum::Router;
/// # use tower_layer::Layer;
/// # use tokio::net::TcpStream;
/// fn served(
///     stream: AttestedStream<TcpStream>,
///     app: Router,
/// ) -> (AttestedStream<TcpStream>, Watched<WithAttestation<Router>>) {
///     let stream = stream.with_limits(ConnectionLimits::default(), ());
///     let service = Watched::over(&stream, stream.layer().layer(app));
///     (stream, service)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Watched<S> {
    inner: S,
    /// `None` for a stream without limits.
    requests: Option<Requests>,
    /// `None` where those of bodies are not counted.
    pieces: Option<Pieces>,
}

impl<S> Watched<S> {
    /// Around the service of this connection. It changes nothing where the stream is not
    /// [limited](AttestedStream::with_limits).
    pub fn over<IO>(stream: &AttestedStream<IO>, inner: S) -> Self {
        Self {
            inner,
            requests: stream.requests().cloned(),
            pieces: None,
        }
    }

    /// Counts the small pieces of bodies, of a stream that counts them too.
    pub(crate) fn counting(mut self, pieces: Pieces) -> Self {
        self.pieces = Some(pieces);
        self
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
        // On HTTP/2 it is one stream of many, and the connection goes on.
        let one_of_many = request.version() >= Version::HTTP_2;
        let answered = Arc::new(AtomicBool::new(false));
        let watch = self.requests.as_ref().map(|requests| Watch {
            answering: requests.arrived(),
            answered: answered.clone(),
            connect,
            one_of_many,
            pieces: self.pieces.clone(),
            _tunnel: self
                .pieces
                .as_ref()
                .filter(|_| connect && one_of_many)
                .map(Pieces::of_body),
        });
        let mut request = request.map(Body::new);
        if let Some(requests) = &self.requests
            && connect
            && one_of_many
        {
            request.extensions_mut().insert(MayTunnel(requests.clone()));
        }
        let request = match &self.requests {
            Some(requests) if !request.body().is_end_stream() => {
                let limit = requests.limits().request_body;
                let pieces = self.pieces.as_ref().filter(|_| one_of_many);
                let pieces = pieces.map(Pieces::of_body);
                request.map(|inner| Body::new(RequestBody::new(inner, limit, answered, pieces)))
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
    one_of_many: bool,
    pieces: Option<Pieces>,
    /// A CONNECT has no body, and what its client sends waits as one until it is answered.
    _tunnel: Option<OfBody>,
}

impl Watch {
    /// Whether the connection leaves HTTP with this answer. On HTTP/2 none does, whatever a handler says.
    fn upgrades(&self, status: StatusCode) -> bool {
        let agrees = status == StatusCode::SWITCHING_PROTOCOLS;
        !self.one_of_many && (agrees || (self.connect && status.is_success()))
    }

    /// Whether a stream of HTTP/2 becomes a tunnel.
    fn begins_tunnel(&self, status: StatusCode) -> bool {
        self.one_of_many && self.connect && status.is_success()
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
        if let Some(pieces) = &watch.pieces
            && watch.begins_tunnel(response.status())
        {
            pieces.stop();
        }
        let answering = watch.answering;
        // HTTP may wait for the client before it asks for the first piece.
        answering.offered();
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
