//! What the server answers, and whom it must not.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;
use std::time::Instant;

use atls_axum::AttestationResult;
use axum::Router;
use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use http_body_util::BodyExt;
use hyper::body::Frame;

use crate::sample;
use crate::sample::HugeAnswer;

/// Who may reach a handler, of those that say who they are in the header [`WHO`].
#[derive(Clone, Default)]
pub(crate) struct Admitted {
    former_until: Arc<Mutex<Option<Instant>>>,
}

impl Admitted {
    pub(crate) fn everybody(&self) {
        *self.lock() = None;
    }

    pub(crate) fn no_former_after(&self, end: Instant) {
        *self.lock() = Some(end);
    }

    fn admits(&self, who: &str) -> bool {
        match who {
            HONEST => true,
            FORMER => self.lock().is_none_or(|end| Instant::now() <= end),
            _ => false,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.former_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Every handler wants the attestation of its client.
pub(crate) fn router(admitted: Admitted) -> Router {
    Router::new()
        .route("/", get(async |_: AttestationResult| HELLO))
        .route("/slow", get(slow))
        .route(
            "/large",
            get(async |_: AttestationResult| Body::new(Xs::new(LARGE))),
        )
        .route("/huge", get(huge))
        .route("/upload", post(upload))
        .route("/never", post(never))
        .layer(axum::middleware::from_fn_with_state(admitted, count))
}

async fn count(State(admitted): State<Admitted>, request: Request, next: Next) -> Response {
    sample::served();
    let who = request.headers().get(WHO).and_then(|who| who.to_str().ok());
    if !admitted.admits(who.unwrap_or_default()) {
        sample::served_wrongly();
    }
    next.run(request).await
}

async fn slow(_: AttestationResult) -> &'static str {
    tokio::time::sleep(SLOW).await;
    AT_LAST
}

/// Reads the body to its end, and keeps nothing of it.
async fn upload(_: AttestationResult, request: Request) -> StatusCode {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return StatusCode::BAD_REQUEST;
        }
    }
    StatusCode::OK
}

/// Reads nothing, and answers never.
async fn never(_: AttestationResult, request: Request) -> StatusCode {
    std::future::pending::<()>().await;
    drop(request);
    StatusCode::OK
}

async fn huge(_: AttestationResult) -> Body {
    let counted = Some(HugeAnswer::begin());
    Body::new(Xs {
        left: HUGE,
        _counted: counted,
    })
}

/// So many times [`X`], in pieces of their own memory, as an application has them.
struct Xs {
    left: usize,
    _counted: Option<HugeAnswer>,
}

impl Xs {
    fn new(bytes: usize) -> Self {
        Self {
            left: bytes,
            _counted: None,
        }
    }
}

impl HttpBody for Xs {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.left.min(PIECE);
        if length == 0 {
            return Poll::Ready(None);
        }
        self.left -= length;
        Poll::Ready(Some(Ok(Frame::data(vec![X; length].into()))))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.left as u64)
    }
}

/// The header in which clients say who they are.
pub(crate) const WHO: &str = "who";
pub(crate) const HONEST: &str = "honest";
/// A client that one policy accepts and the next does not.
pub(crate) const FORMER: &str = "former";
/// A client that no policy accepts.
pub(crate) const WRONG: &str = "wrong";

pub(crate) const HELLO: &str = "hello";
pub(crate) const AT_LAST: &str = "at last";
pub(crate) const X: u8 = b'x';
/// Bytes of `/large`.
pub(crate) const LARGE: usize = 1024 * 1024;
/// Bytes of `/huge`: more than sockets hold.
pub(crate) const HUGE: usize = 64 * 1024 * 1024;
/// Bytes of an answer that are made at a time.
const PIECE: usize = 64 * 1024;
/// How long `/slow` takes.
pub(crate) const SLOW: Duration = Duration::from_secs(2);
