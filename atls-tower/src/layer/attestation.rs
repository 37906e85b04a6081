//! Gives requests the attestation of the peer that their connection ends at.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::ready;

use atls_core::PeerAttestation;
use atls_core::pki_types::UnixTime;
use http::HeaderValue;
use http::Request;
use http::Response;
use http::Version;
use http::header::CONNECTION;
use pin_project_lite::pin_project;
use rustls::time_provider::TimeProvider;
use tower_layer::Layer;
use tower_service::Service;

/// Puts `Arc<PeerAttestation>` into the extensions of each request of one connection.
///
/// Per connection, made by [`AttestedStream::layer`](crate::AttestedStream::layer). Costs one reading of the clock and
/// one clone of an `Arc` per request. Once the attestation has expired, requests carry none. From then on, and once the
/// server's own attestation has expired for the client, HTTP/1.1 responses tell the client to connect anew.
///
/// Whatever claims of attestation a request brings in its own headers mean nothing; nothing here reads them.
#[derive(Clone, Debug)]
pub struct AttestationLayer {
    peer: Option<Arc<PeerAttestation>>,
    clock: Arc<dyn TimeProvider>,
    own_expires_at: Option<UnixTime>,
}

impl AttestationLayer {
    pub(crate) fn new(
        peer: Option<Arc<PeerAttestation>>,
        clock: Arc<dyn TimeProvider>,
        own_expires_at: Option<UnixTime>,
    ) -> Self {
        Self {
            peer,
            clock,
            own_expires_at,
        }
    }
}

impl<S> Layer<S> for AttestationLayer {
    type Service = WithAttestation<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithAttestation {
            inner,
            peer: self.peer.clone(),
            clock: self.clock.clone(),
            own_expires_at: self.own_expires_at,
        }
    }
}

/// The service of [`AttestationLayer`].
#[derive(Clone, Debug)]
pub struct WithAttestation<S> {
    inner: S,
    peer: Option<Arc<PeerAttestation>>,
    clock: Arc<dyn TimeProvider>,
    own_expires_at: Option<UnixTime>,
}

impl<S, B, R> Service<Request<B>> for WithAttestation<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let timed = self.peer.is_some() || self.own_expires_at.is_some();
        let now = timed.then(|| self.clock.current_time()).flatten();
        let passed = |end| now.is_none_or(|now| now >= end);
        let mut draining = self.own_expires_at.is_some_and(passed);
        // Another layer's idea of the peer must not survive: it is replaced or removed.
        let extensions = request.extensions_mut();
        match &self.peer {
            Some(peer) if !passed(peer.expires_at()) => {
                extensions.insert(peer.clone());
            }
            Some(_) => {
                extensions.remove::<Arc<PeerAttestation>>();
                extensions.insert(Expired);
                draining = true;
            }
            None => {
                extensions.remove::<Arc<PeerAttestation>>();
            }
        }
        let closing = draining && matches!(request.version(), Version::HTTP_10 | Version::HTTP_11);
        ResponseFuture {
            inner: self.inner.call(request),
            closing,
        }
    }
}

/// The peer was attested, once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expired;

pin_project! {
    /// The response of the inner service, with `Connection: close` where the attestation has expired.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        closing: bool,
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx));
        if let (true, Ok(response)) = (*this.closing, &mut response) {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Poll::Ready(response)
    }
}
