//! A body with something that it lets go of at its end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use axum::body::Body;
use axum::body::HttpBody;
use bytes::Bytes;
use http::Request;
use hyper::body::Frame;
use hyper::body::SizeHint;

pub(super) struct Holding<T> {
    body: Body,
    _held: T,
}

impl<T> Holding<T> {
    pub(super) fn new(body: Body, held: T) -> Self {
        Self { body, _held: held }
    }
}

/// The request holds on to it, and whoever takes the rest of it too: a service may answer, and go on to read.
pub(super) fn both<T>(request: Request<Body>, held: T) -> (Request<Body>, Arc<T>)
where
    T: Send + Sync + 'static,
{
    let held = Arc::new(held);
    let own = held.clone();
    let request = request.map(|body| Body::new(Holding::new(body, own)));
    (request, held)
}

impl<T: Unpin> HttpBody for Holding<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
