//! The body of a request that is handed on.

use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use hyper::body::Body;
use hyper::body::Frame;
use hyper::body::SizeHint;
use pin_project_lite::pin_project;

use super::headers;

pin_project! {
    /// The body of a request behind a [`ForwardResultLayer`](super::ForwardResultLayer): of its trailers, those under the names of the headers
    /// are removed, since some services take trailers for headers.
    #[derive(Clone, Debug, Default)]
    pub struct ForwardedBody<B> {
        #[pin]
        inner: B,
    }
}

impl<B> ForwardedBody<B> {
    pub(super) fn new(inner: B) -> Self {
        Self { inner }
    }
}

impl<B: Body> Body for ForwardedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = ready!(self.project().inner.poll_frame(cx)?);
        Poll::Ready(frame.map(|frame| Ok(without_statements(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn without_statements<D>(frame: Frame<D>) -> Frame<D> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            headers::remove(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(data) => data,
    }
}
