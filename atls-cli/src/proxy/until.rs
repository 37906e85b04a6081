//! A body that ends with the connections that it may come over.

use std::fmt;
use std::pin::Pin;
use std::task::Context;
use std::task::Poll;

use atls_core::BoxFuture;
use axum::body::Body;
use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::Frame;
use hyper::body::SizeHint;

/// It fails once `overdue` ends. A proper end would make what came look whole.
pub(super) struct Until {
    body: Body,
    overdue: BoxFuture<'static, ()>,
}

impl Until {
    pub(super) fn new(body: Body, overdue: BoxFuture<'static, ()>) -> Self {
        Self { body, overdue }
    }
}

impl HttpBody for Until {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.overdue.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(axum::Error::new(Overdue))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[derive(Clone, Copy, Debug)]
struct Overdue;

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its connection had to end")
    }
}

impl std::error::Error for Overdue {}
