//! The body of a request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;

use axum::body::Body;
use axum::body::Bytes;
use axum::body::HttpBody;
use hyper::body::Frame;
use hyper::body::SizeHint;
use tokio::time::Sleep;

use crate::pieces::OfBody;

/// Fails if the client stops to send it before it is answered. A client that was answered may think for as long as it
/// likes: so do streams in both directions.
pub(crate) struct RequestBody {
    inner: Body,
    limit: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    answered: Arc<AtomicBool>,
    /// `None` where pieces are not counted, and at the end.
    pieces: Option<OfBody>,
}

impl RequestBody {
    pub(crate) fn new(
        inner: Body,
        limit: Duration,
        answered: Arc<AtomicBool>,
        pieces: Option<OfBody>,
    ) -> Self {
        Self {
            inner,
            limit,
            waiting: None,
            answered,
            pieces,
        }
    }

    fn poll_inner(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        match (&polled, &self.pieces) {
            // The last piece of a body was not counted when it came.
            (Poll::Ready(Some(Ok(_))), Some(_)) if self.inner.is_end_stream() => {}
            (Poll::Ready(Some(Ok(frame))), Some(pieces)) => {
                pieces.went(frame.data_ref().map_or(0, Bytes::len));
            }
            (Poll::Ready(_), _) => self.pieces = None,
            (Poll::Pending, _) => {}
        }
        polled
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = this.poll_inner(cx) {
            if !is_empty(frame.as_ref()) {
                this.waiting = None;
            }
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

impl Drop for RequestBody {
    /// What nobody reads any more is counted as read.
    fn drop(&mut self) {
        let most = self.pieces.as_ref().map_or(0, OfBody::most);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..most {
            // A panic may have come out of HTTP.
            let is_over = std::thread::panicking() || self.pieces.is_none();
            if is_over || self.poll_inner(&mut cx).is_pending() {
                return;
            }
        }
    }
}

/// Whether the client sent a part of the body that has nothing in it.
fn is_empty(frame: Option<&Result<Frame<Bytes>, axum::Error>>) -> bool {
    match frame {
        Some(Ok(frame)) => frame.data_ref().is_some_and(Bytes::is_empty),
        _ => false,
    }
}
