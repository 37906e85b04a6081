//! The response of a service behind one of the layers.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use bytes::Bytes;
use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header::CONNECTION;
use pin_project_lite::pin_project;

use super::problem::Problem;

pin_project! {
    /// The response of the inner service, or a [`Problem`] in its place; with `Connection: close` where the attestation
    /// has expired.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
        closing: bool,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F> {
        Passed { #[pin] inner: F },
        Refused { problem: Problem },
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn of(inner: F) -> Self {
        Self {
            state: State::Passed { inner },
            closing: false,
        }
    }

    pub(crate) fn refusing(problem: Problem) -> Self {
        Self {
            state: State::Refused { problem },
            closing: false,
        }
    }

    /// Tells an HTTP/1.1 client that the connection ends with this response, unless it leaves HTTP with it.
    pub(super) fn closing(mut self) -> Self {
        self.closing = true;
        self
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<Bytes>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = match this.state.project() {
            StateProjection::Passed { inner } => ready!(inner.poll(cx)),
            StateProjection::Refused { problem } => Ok(problem.to_response()),
        };
        // Of an upgrade, `Connection` says that it is agreed (RFC 9110 §7.8): who has the stream learns of its end by the lifetime.
        if let (true, Ok(response)) = (*this.closing, &mut response)
            && response.status() != StatusCode::SWITCHING_PROTOCOLS
        {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(response)
    }
}
