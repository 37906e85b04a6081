//! The answer to ordinary HTTPS clients where attestation is required.

use std::convert::Infallible;
use std::future::Ready;
use std::future::ready;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;

use atls_core::limits::MAX_REFUSAL;
use atls_core::limits::MAX_REFUSALS;
use atls_tower::Problem;
use atls_tower::RefusedStream;
use axum::body::Body;
use http::Request;
use http::Response;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::Semaphore;
use tower_service::Service;

use crate::http2_limits::Http2Limits;
use crate::numbers::request_refused;
use crate::protocol::Protocol;
use crate::protocol::http1;
use crate::protocol::http2;
use crate::protocol::until;

/// Answers clients that are not served, few at a time.
#[derive(Clone, Debug)]
pub(crate) struct Refusals {
    room: Arc<Semaphore>,
}

impl Refusals {
    pub(crate) fn new() -> Self {
        Self {
            room: Arc::new(Semaphore::new(MAX_REFUSALS)),
        }
    }

    /// Answers one request with `403`, and closes the connection. Where there is no room it is only closed.
    pub(crate) async fn answer(&self, mut stream: RefusedStream<TcpStream>) {
        if let Ok(_room) = self.room.try_acquire() {
            let conversation = converse(&mut stream);
            // A client that sends no request in time is closed without an answer.
            let _ = tokio::time::timeout(MAX_REFUSAL, conversation).await;
        }
        stream.close().await;
    }
}

async fn converse(stream: &mut RefusedStream<TcpStream>) {
    let answered = Arc::new(Notify::new());
    let service = TowerToHyperService::new(Refuse {
        answered: answered.clone(),
    });
    let protocol = Protocol::of(stream.alpn_protocol());
    let io = TokioIo::new(stream);
    // One request is answered, and no further one is taken. Errors of this conversation are of no use.
    let _ = match protocol {
        Protocol::Http2 => {
            let connection = http2(&Http2Limits::least()).serve_connection(io, service);
            until(answered.notified(), connection, |it| it.graceful_shutdown()).await
        }
        // Without ALPN a client is answered in HTTP/1.1: version detection would be one more thing that waits.
        Protocol::Http1 | Protocol::Unknown => {
            let mut builder = http1();
            let connection = builder.keep_alive(false).serve_connection(io, service);
            until(answered.notified(), connection, |it| it.graceful_shutdown()).await
        }
    };
}

/// Refuses every request. It reads no body and reaches no service of the application.
#[derive(Clone, Debug)]
struct Refuse {
    answered: Arc<Notify>,
}

impl Service<Request<Incoming>> for Refuse {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        self.answered.notify_one();
        request_refused(Problem::NotAttestedTls);
        ready(Ok(Problem::NotAttestedTls.to_response()))
    }
}
